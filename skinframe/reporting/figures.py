"""The figures of a report: numbers with intervals, tests, diagrams, curves. `schema.py` names them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Number = float | None

CALIBRATION_TEST = "ECE against its null floor"


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What a perfectly calibrated model of the same sharpness and n would score, and the test against it."""

    mean: float
    p95: Number = None
    p_value: Number = None


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number with its interval; `method` says how it was made, e.g. "patient bootstrap, 1000 resamples"."""

    value: Number
    low: Number = None
    high: Number = None
    floor: Floor | None = None
    method: str = ""
    warnings: tuple[str, ...] = ()  # what to know before quoting it, e.g. "only 9 groups"


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """How a metric is shown: its column, its direction and one sentence for a reader who does not know it."""

    name: str
    label: str = ""
    higher_is_better: bool = True
    meaning: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A test that was made and its outcome: the only thing that lets the page make a claim."""

    name: str
    passed: bool | None  # None: not run
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the results table: this run, a baseline, or a ceiling. `role` sets its place and its ink."""

    name: str
    metrics: Mapping[str, Estimate]
    note: str = ""
    role: str = "baseline"  # "main", "variant", "baseline", "reference"


@dataclass(frozen=True, kw_only=True)
class Bin:
    """One bin of a reliability diagram; [low, high] is where `accuracy` would lie if confidence were right."""

    confidence: float
    accuracy: float
    count: int
    low: Number = None
    high: Number = None


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """Top-class confidence against accuracy; `edges` bound all bins, empty ones too."""

    name: str  # "before calibration", "after calibration"
    bins: tuple[Bin, ...]
    ece: Estimate | None = None
    verdict: Check | None = None  # only a test may call probabilities calibrated


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Counts on the test set, rows the true class, columns the predicted one."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One class: how many images of it, and how well it was found on the test set."""

    name: str
    title: str = ""  # the clinical name of a code such as "NV"
    n_train: int = 0
    n_valid: int = 0
    n_test: int = 0
    recall: Estimate | None = None
    precision: Estimate | None = None
    auroc: Estimate | None = None


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line over epochs or steps: x and y of equal length; None where y is undefined."""

    name: str
    x: tuple[float, ...]
    y: tuple[Number, ...]


@dataclass(frozen=True, kw_only=True)
class Derived:
    """Numbers that a loss term took from the training counts, one a class: class weights, margins, offsets."""

    term: str
    name: str
    values: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Training:
    """Curves of the run. `unit` is what x counts in losses, weights, gradients and shares; validation counts epochs."""

    validation: tuple[Curve, ...] = ()
    losses: tuple[Curve, ...] = ()
    weights: tuple[Curve, ...] = ()
    gradients: tuple[Curve, ...] = ()
    shares: tuple[Curve, ...] = ()
    chosen_epoch: int | None = None
    unit: str = "step"
    derived: tuple[Derived, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The calibrator that was fitted, e.g. temperature, its parameters as text, and what it was fitted on."""

    method: str
    parameters: Mapping[str, str]
    fitted_on: str = "validation"
