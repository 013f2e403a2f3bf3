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
    max_fraction: float = 0.02
    max_pixels: int = 50_000_000
    max_bytes: int = 50_000_000
    draft: int = 0
    workers: int = 2
    patience: int = 60

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
    level: float = 0.95
    calibration: float = 0.5
    max_new_tokens: int = 48
    cases: int = 12
    probes: bool = True
    injection: int = 0
    explain: bool = True
    views: int = 1

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
    text: str | None = None
    focus: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One experiment. `scale` is what the headline says the run was made at; presets set it."""

    name: str
    seed: int = 0
    scale: str = "custom"
    title: str = ""
    requires: list[str] = field(default_factory=list)
    data: Part
    prompt: Part
    columns: dict[str, Part] = field(default_factory=dict)
    encoders: dict[str, Part] = field(default_factory=dict)
    reasoner: Part | None = None
    heads: dict[str, Part] = field(default_factory=dict)
    losses: dict[str, LossPart] = field(default_factory=dict)
    outputs: Outputs = field(default_factory=Outputs)
    balancer: Part = field(default_factory=lambda: Part(use="none"))
    calibrator: Part = field(default_factory=lambda: Part(use="temperature"))
    explainer: Part = field(default_factory=lambda: Part(use="gradient_input"))
    metrics: dict[str, Part] = field(default_factory=dict)
    trackers: dict[str, Part] = field(default_factory=dict)
    split: SplitOptions = field(default_factory=SplitOptions)
    audit: AuditOptions = field(default_factory=AuditOptions)
    images: Images = field(default_factory=Images)
    train: Train = field(default_factory=Train)
    stages: list[Stage] = field(default_factory=list)
    select: Select = field(default_factory=Select)
    evaluate: Evaluate = field(default_factory=Evaluate)

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
