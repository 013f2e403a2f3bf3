"""The figures of a report: numbers with intervals, tests, diagrams, curves, tables by topic, and plugins' sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Number = float | None

CALIBRATION_TEST = "ECE against its null floor"
CLASSWISE_TEST = "class-wise ECE against its null floor"


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
class ReportedTest:
    """A test that was made and its outcome: the only thing that lets the page make a claim."""

    name: str
    passed: bool | None  # None: not run
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class ResultRow:
    """One line of the results table: this run, a baseline, or a ceiling. `role` sets its place and its ink."""

    name: str
    metrics: Mapping[str, Estimate]
    note: str = ""
    role: str = "baseline"  # "main", "variant", "baseline", "reference"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """`first` minus `second` in one metric, paired on the same test samples; `adjusted` is p after a correction."""

    first: str
    second: str
    metric: str
    estimate: Estimate
    p_value: Number = None
    adjusted: Number = None
    higher_is_better: bool = True


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
    # only tests may call probabilities calibrated: one of the top class, one of every class's own probability
    verdict: ReportedTest | None = None
    classwise: ReportedTest | None = None


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
    n_train: int | None = 0  # None: not known
    n_valid: int | None = 0
    n_test: int = 0
    recall: Estimate | None = None
    precision: Estimate | None = None
    auroc: Estimate | None = None


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line over epochs or steps: x and y of equal length; None where y is undefined. `beside`: reference lines."""

    name: str
    x: tuple[float, ...]
    y: tuple[Number, ...]
    beside: tuple[tuple[Number, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Derived:
    """Numbers that a loss term took from the training counts, one a class: class weights, margins, offsets."""

    term: str
    name: str
    values: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Training:
    """Curves of the run. `unit` is what x counts in losses, weights, gradients and shares; validation counts epochs."""

    validation: tuple[Series, ...] = ()
    losses: tuple[Series, ...] = ()
    weights: tuple[Series, ...] = ()
    gradients: tuple[Series, ...] = ()
    shares: tuple[Series, ...] = ()
    chosen_epoch: int | None = None
    unit: str = "step"
    derived: tuple[Derived, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The calibrator that was fitted, e.g. temperature, its parameters as text, and what it was fitted on."""

    method: str
    parameters: Mapping[str, str]
    fitted_on: str = "validation"


# topics: each is a section of the page; a table without one stands among further analyses
CALIBRATION = "calibration"
DISCRIMINATION = "discrimination"
DECISION = "decision-curves"
SELECTIVE = "selective-prediction"
CONFORMAL = "conformal"
SUBGROUPS = "subgroups"
SCREENING = "screening"  # the malignant classes against the rest; stands in the headline
TIERS = "tiers"  # by distance from the training data
TIERS_BY_FIELD = "tiers-by-field"
INJECTION = "injected-text"
# names of tests, by which a table is recognised whatever its title
LARGEST_GAP = "Largest difference between subgroups beyond chance"
OUT_OF_DISTRIBUTION = "Drop beyond chance out of distribution"
DROP_FROM_REFERENCE = "Drop beyond chance from the reference tier"
NOTHING_ENTERS = "Text enters only through the pixels"


@dataclass(frozen=True, kw_only=True)
class EvidenceRow:
    """One row: a name, a note under it, and one cell per column; None where there is no value."""

    name: str
    cells: tuple[Estimate | None, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class EvidenceTable:
    """A table of one topic with its column heads, how to read it, curves beside it and the tests that were made."""

    name: str
    sentence: str
    head: tuple[str, ...]
    rows: tuple[EvidenceRow, ...]
    curves: tuple[Series, ...] = ()
    unit: str = ""
    checks: tuple[ReportedTest, ...] = ()
    topic: str = ""


@dataclass(frozen=True, kw_only=True)
class AddedSection:
    """A section that a plugin added: title, place, the tests that it may cite, paragraphs and tables.

    The report holds what the plugin built, so the page can be written again where the plugin is not installed.
    """

    name: str
    title: str
    place: int
    cites: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = ()
    tables: tuple[EvidenceTable, ...] = ()
    tests: tuple[ReportedTest, ...] = ()


# heat maps are called grounded only if each of these tests was made and passed
GROUNDING_TESTS = ("localisation", "causal effect", "sanity")
RATIONALE_TEST = "attributes right more often than the majority answer"


@dataclass(frozen=True, kw_only=True)
class AttributeRow:
    """How often written rationales state one attribute rightly, beside always saying the majority answer."""

    name: str
    accuracy: Estimate
    majority: Estimate | None = None
    mentioned: Number = None


@dataclass(frozen=True, kw_only=True)
class RationaleQuality:
    """What was read back from the generated rationales of the test set: the diagnosis that each names, and attributes.

    `agreement` is the share that names the predicted class and no other diagnosis; it needs no annotation. `others`
    name another diagnosis, counted in `named` by its name; `silent` name none. `accuracy` is None where the set has no
    annotated attributes.
    """

    n: int
    accuracy: Estimate | None = None
    agreement: Estimate | None = None
    others: int = 0
    silent: int = 0
    named: Mapping[str, int] = field(default_factory=dict)
    majority: Estimate | None = None
    attributes: tuple[AttributeRow, ...] = ()
    test: ReportedTest | None = None


@dataclass(frozen=True, kw_only=True)
class Grounding:
    """How much heat falls where it should: lift is heat inside / heat expected of the baseline, 1 is chance."""

    n: int
    target: str = "lesion mask"
    lift_over_area: Estimate | None = None
    lift_over_centre: Estimate | None = None
    tests: tuple[ReportedTest, ...] = ()  # localisation, causal effect, sanity; "grounded" is said only if all pass
