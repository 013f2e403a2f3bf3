"""The recipe as frozen dataclasses: what each key is, its default and its range."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from skinframe.recipe.split_options import AuditOptions as AuditOptions
from skinframe.recipe.split_options import SplitOptions as SplitOptions
from skinframe.recipe.training_options import Select as Select
from skinframe.recipe.training_options import Stage as Stage
from skinframe.recipe.training_options import StagePlan as StagePlan
from skinframe.recipe.training_options import Train as Train
from skinframe.recipe.training_options import at_least, check_views

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A component in a recipe: `use` is a registered name, `config` the component's own options."""

    use: str
    enabled: bool = True
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LossPart:
    """A loss in a recipe: a part with a weight (a number or a schedule) and, by option, re-routed inputs."""

    use: str
    enabled: bool = True
    config: dict[str, Any] = field(default_factory=dict)
    weight: Any = 1.0
    inputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Images:
    """What may be decoded, and what happens to an image that cannot be.

    `draft` decodes a large JPEG at a half, quarter or eighth whose sides still have that many pixels; 0 decodes all.
    `patience` is seconds in which no worker finishes an image: one hangs then, and the run ends.
    """

    policy: Literal["quarantine", "error"] = "quarantine"
    """Set an unusable image aside, or stop with an error."""
    max_fraction: float = 0.02
    """Largest share of images that may be set aside."""
    max_pixels: int = 50_000_000
    """Images with more pixels are not decoded."""
    max_bytes: int = 50_000_000
    """Files with more bytes are not read."""
    draft: int = 0
    """Decode a large JPEG at a reduced size whose sides still have this many pixels; 0 decodes in full."""
    workers: int = 2
    """Processes that read and check images."""
    patience: int = 60
    """Seconds without a finished image after which a worker counts as hung."""

    def __post_init__(self) -> None:
        at_least(self, 0, "draft")
        if not 0 <= self.max_fraction <= 1:
            raise ValueError(f"max_fraction is a share of the images in [0, 1], got {self.max_fraction}")
        at_least(self, 1, "max_pixels", "max_bytes", "workers", "patience")


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Intervals, rationales and cases of the report; `calibration` is the share of validation that only the calibrator
    sees, 0 fits it where the epoch was chosen. `injection` is the number of test images that are judged again with
    words that name another diagnosis, 0 none. Without `explain` no rationale is written and no heat map is made.
    Predictions are the mean of the log probabilities over `views` dihedral views, those of the probes too; rationale
    and heat map are of the upright one."""

    resamples: int = 1000
    """Bootstrap resamples of each interval."""
    level: float = 0.95
    """Confidence level of the intervals."""
    calibration: float = 0.5
    """Share of validation that only the calibrator sees; 0 fits it on all of validation."""
    max_new_tokens: int = 48
    """Longest rationale, in tokens."""
    cases: int = 12
    """Example cases in the report."""
    probes: bool = True
    """Also train linear probes on the frozen features, to compare with."""
    injection: int = 0
    """Test images that are predicted again with misleading words in the prompt; 0 none."""
    explain: bool = True
    """Write rationales and heat maps."""
    views: int = 1
    """Turned and mirrored views whose log probabilities are averaged."""

    def __post_init__(self) -> None:
        at_least(self, 1, "resamples", "max_new_tokens")
        at_least(self, 0, "cases", "injection")
        check_views(self.views)
        if not 0 <= self.calibration <= 0.9:
            raise ValueError(f"calibration is a share of validation in [0, 0.9], got {self.calibration}")
        if not 0 < self.level < 1:
            raise ValueError(f"level is the share that an interval covers, in (0, 1), got {self.level}")


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What the graph is walked back from, as addresses (`instance.signal`).

    `scores` are the class scores that everything is judged by, by default the one signal called `logits`; `text` what
    is written, by default the reasoner's own text; `focus` the image signal that heat maps lie over, by default the
    first that the reasoner reads.
    """

    scores: str | None = None
    """Address of the class scores that are evaluated; left out, the one signal called `logits`."""
    text: str | None = None
    """Address of the text that is written; left out, the reasoner's."""
    focus: str | None = None
    """Address of the image signal that heat maps show; left out, the first that the reasoner reads."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One experiment. `scale` is what the headline says the run was made at; presets set it."""

    name: str
    """Name of the experiment; the run folder's name begins with it."""
    seed: int = 0
    """Seed of initial weights, batches and, unless `split.seed` says otherwise, the split."""
    scale: str = "custom"
    """Size that the report names, such as `tiny`; presets set it."""
    title: str = ""
    """The report's title."""
    requires: list[str] = field(default_factory=list)
    """Plugins to load; no other plugin is imported."""
    data: Part
    """The data set."""
    prompt: Part
    """The texts made of a sample: question, description and target rationale."""
    columns: dict[str, Part] = field(default_factory=dict)
    """Options of columns, by any name."""
    encoders: dict[str, Part] = field(default_factory=dict)
    """Frozen, live or trained encoders, by instance name."""
    reasoner: Part | None = None
    """The language model, where there is one."""
    heads: dict[str, Part] = field(default_factory=dict)
    """What turns signals into logits or projections, by instance name."""
    losses: dict[str, LossPart] = field(default_factory=dict)
    """The loss terms with their weights, by instance name."""
    outputs: Outputs = field(default_factory=Outputs)
    """What is evaluated, written and shown."""
    balancer: Part = field(default_factory=lambda: Part(use="none"))
    """How the weights of the terms are balanced."""
    calibrator: Part = field(default_factory=lambda: Part(use="temperature"))
    """What is fitted to the validation logits after training."""
    explainer: Part = field(default_factory=lambda: Part(use="gradient_input"))
    """What makes heat maps."""
    metrics: dict[str, Part] = field(default_factory=dict)
    """The metrics of the report, by name; left out, those of its main table."""
    trackers: dict[str, Part] = field(default_factory=dict)
    """Where numbers are logged during training."""
    split: SplitOptions = field(default_factory=SplitOptions)
    """How the samples are divided."""
    audit: AuditOptions = field(default_factory=AuditOptions)
    """Which leaks are accepted."""
    images: Images = field(default_factory=Images)
    """Which images may be read."""
    train: Train = field(default_factory=Train)
    """How the model is trained."""
    stages: list[Stage] = field(default_factory=list)
    """Stages of training, each with parts and epochs of its own; none is one stage of all parts."""
    select: Select = field(default_factory=Select)
    """Which epoch is kept."""
    evaluate: Evaluate = field(default_factory=Evaluate)
    """What the evaluation computes."""

    @property
    def views(self) -> int:
        """How many dihedral views of each image have features: those of training or of evaluation, the more."""
        return max(self.train.views, self.evaluate.views)

    @property
    def stage_plans(self) -> tuple[StagePlan, ...]:
        """The stages of training in order, every option filled in; `train` alone is one stage of all parts."""
        return tuple(stage.plan(self.train, self.select) for stage in self.stages or [Stage()])

    @property
    def tracker_parts(self) -> dict[str, Part]:
        """The trackers, with the one that `train.tensorboard` stands for."""
        named = {"tensorboard": Part(use="tensorboard")} if self.train.tensorboard else {}
        return {**named, **self.trackers}

    @property
    def epochs(self) -> int:
        """The epochs of all stages."""
        return sum(stage.train.epochs for stage in self.stage_plans)

    @property
    def trains(self) -> bool:
        """Whether any epoch is trained; without one the model is evaluated as it is loaded."""
        return self.epochs > 0

    @property
    def division_seed(self) -> int:
        """The seed of the split, its folds and subsets, and of the calibration fold."""
        return self.seed if self.split.seed is None else self.split.seed

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            what = (
                "name is the run folder's: letters, digits, '.', '_', '-', at most 80, beginning with one of the first"
            )
            raise ValueError(f"{what} two; got {self.name!r}")
