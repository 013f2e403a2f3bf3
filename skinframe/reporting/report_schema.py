"""What a report holds. Every part that a run may lack is None or empty, and the page copes.

Numbers are plain Python floats; one that is undefined (NaN) is None. Tuples, not lists, so that a report is a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from skinframe.reporting.report_values import (
    AddedSection,
    AttributeRow,
    Bin,
    Calibration,
    ClassRow,
    Confusion,
    Derived,
    Difference,
    Estimate,
    EvidenceRow,
    EvidenceTable,
    Floor,
    Grounding,
    MetricInfo,
    Number,
    RationaleQuality,
    Reliability,
    ReportedTest,
    ResultRow,
    Series,
    Training,
)

__all__ = [
    "AddedSection",
    "AttributeRow",
    "Bin",
    "Calibration",
    "ClassRow",
    "Confusion",
    "Data",
    "Derived",
    "Difference",
    "Estimate",
    "EvidenceRow",
    "EvidenceTable",
    "ExampleCase",
    "Floor",
    "Grounding",
    "Headline",
    "MetricInfo",
    "Number",
    "PlanModule",
    "PlanText",
    "Quarantined",
    "RationaleQuality",
    "Reliability",
    "Report",
    "ReportedTest",
    "ResultRow",
    "Series",
    "SplitCounts",
    "Training",
]


@dataclass(frozen=True, kw_only=True)
class SplitCounts:
    """One split: its size and how many images of each class it holds."""

    name: str
    images: int
    groups: int
    classes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Quarantined:
    """A file that was set aside, and why."""

    file: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Data:
    """Which images, how they were split, what was set aside."""

    name: str
    synthetic: bool = False
    sentence: str = ""
    split_sentence: str = ""
    splits: tuple[SplitCounts, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ExampleCase:
    """One test image. `image` is PNG or JPEG made from pixels only (`report.images.encode`), as the encoder saw it:
    after resize and crop, so that the heat grid lies over it.
    """

    id: str
    image: bytes
    probabilities: tuple[float, ...]  # [C], after calibration
    before: tuple[float, ...] | None = None
    label: int | None = None
    prediction: int
    heat: tuple[tuple[float, ...], ...] | None = None  # [gh][gw] >= 0
    metadata: Mapping[str, str] = field(default_factory=dict)
    rationale: str | None = None
    target_rationale: str | None = None
    posterior: tuple[float, ...] | None = None
    note: str = ""  # why this case is shown, e.g. "most confident mistake"
    names: tuple[str, ...] | None = None  # the diagnoses that the rationale names; None where it was not read
    prediction_set: tuple[int, ...] | None = None  # classes that cannot be ruled out at 90 %


@dataclass(frozen=True, kw_only=True)
class PlanModule:
    """One line of the plan's module table."""

    name: str
    role: str
    parameters: int
    bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class PlanText:
    """The plan as it was run: its YAML, its modules and what was dropped."""

    yaml: str
    modules: tuple[PlanModule, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Headline:
    """Who, what, where and how large; the first thing a reader sees."""

    name: str
    scale: str
    device: str
    date: str
    version: str
    fingerprint: str
    seed: int
    n_train: int
    n_valid: int
    n_test: int
    groups_train: int
    groups_valid: int
    groups_test: int
    group_level: str
    epochs: int
    chosen_epoch: int | None = None
    chosen_by: str = ""
    duration: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that report.json says and the page shows."""

    headline: Headline
    classes: tuple[str, ...]
    rows: tuple[ResultRow, ...]
    level: float = 0.95  # of every interval; the recipe may set another
    metrics: tuple[MetricInfo, ...] = ()  # columns in order; empty: those of the rows, in the standard order
    warnings: tuple[str, ...] = ()
    reliability: tuple[Reliability, ...] = ()
    confusion: Confusion | None = None
    per_class: tuple[ClassRow, ...] = ()
    training: Training | None = None
    calibration: Calibration | None = None
    evidence: tuple[EvidenceTable, ...] = ()
    rationale: RationaleQuality | None = None
    grounding: Grounding | None = None
    data: Data | None = None
    cases: tuple[ExampleCase, ...] = ()
    plan: PlanText | None = None
    notes: tuple[str, ...] = ()
    checks: tuple[ReportedTest, ...] = ()  # written by version 0.1 only; a section's tests stand in its tables
    sections: tuple[AddedSection, ...] = ()
    class_titles: Mapping[str, str] = field(default_factory=dict)  # full names, by label
    trained_on: str = ""  # what the model was trained on, in one sentence
    differences: tuple[Difference, ...] = ()  # this model minus each reference, on the same images
    explained: tuple[str, ...] = ()  # what was written and drawn to explain, and what of it was not tested
