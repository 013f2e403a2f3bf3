"""The recipe as frozen dataclasses: what each key is, its default and its range."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from skinframe.recipe.division import Audit as Audit
from skinframe.recipe.division import Split as Split

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
        _at_least(self, 0, "draft")
        if not 0 <= self.max_fraction <= 1:
            raise ValueError(f"max_fraction is a share of the images in [0, 1], got {self.max_fraction}")
        _at_least(self, 1, "max_pixels", "max_bytes", "workers", "patience")


@dataclass(frozen=True, kw_only=True)
class Train:
    """The optimisation. `batch_size` is samples an optimiser step, `max_tokens` padded tokens a micro-batch.

    `gather` says on what a term that couples samples is computed: the whole `step`, at the price of a second forward
    pass where the step is cut, or each `micro`-batch. A checkpoint is written every `save_every` steps inside
    an epoch too; 0: at its end only. Adapters learn at `lr`, heads at `head_lr`, the connector at `connector_lr` or as
    the heads do. `clip` bounds the gradient's norm, 0 does not: a bound that binds at every step gives all steps the
    same length, and class weights lose their force between them. `deterministic` refuses an operation that gives other
    bits each time, which some do on a GPU.
    """

    epochs: int = 10
    batch_size: int = 32
    max_tokens: int = 8192
    gather: Literal["step", "micro"] = "step"
    lr: float = 1e-4
    head_lr: float | None = None
    connector_lr: float | None = None
    weight_decay: float = 0.01
    warmup: float = 0.05
    clip: float = 1.0
    precision: Literal["fp32", "bf16"] = "fp32"
    views: int = 1
    gradient_norms_every: int = 10
    threads: int = 2
    save_every: int = 0
    deterministic: bool = False
    tensorboard: bool = False

    def __post_init__(self) -> None:
        _at_least(self, 1, "epochs", "batch_size", "max_tokens", "threads", "gradient_norms_every")
        _at_least(self, 0, "save_every")
        _dihedral(self.views)
        if not all(0 < rate < math.inf for rate in self.rates.values()):
            raise ValueError("lr, head_lr and connector_lr must be positive")
        if not (0 <= self.weight_decay < math.inf and 0 <= self.clip < math.inf):
            raise ValueError("weight_decay and clip must not be negative; clip 0 never clips")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup is a share of all steps in [0, 1), got {self.warmup}")

    @property
    def rates(self) -> dict[str, float]:
        """The base rate of each trained part; the connector's is the heads' where it is left out, theirs is `lr`."""
        heads = self.lr if self.head_lr is None else self.head_lr
        return {
            "adapter": self.lr,
            "heads": heads,
            "reasoner": heads if self.connector_lr is None else self.connector_lr,
        }


@dataclass(frozen=True, kw_only=True)
class Select:
    """Which epoch is kept: by a validation metric only. `mode` follows the metric where it is left out; `patience` 0
    never stops early."""

    by: str = "nll"
    mode: Literal["min", "max"] | None = None
    patience: int = 0

    def __post_init__(self) -> None:
        _at_least(self, 0, "patience")


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
        _at_least(self, 1, "resamples", "max_new_tokens")
        _at_least(self, 0, "cases", "injection")
        _dihedral(self.views)
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
    split: Split = field(default_factory=Split)
    audit: Audit = field(default_factory=Audit)
    images: Images = field(default_factory=Images)
    train: Train = field(default_factory=Train)
    select: Select = field(default_factory=Select)
    evaluate: Evaluate = field(default_factory=Evaluate)

    @property
    def views(self) -> int:
        """How many dihedral views of each image have features: those of training or of evaluation, the more."""
        return max(self.train.views, self.evaluate.views)

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


def _dihedral(views: int) -> None:
    if not 1 <= views <= 8:
        raise ValueError(f"views must be 1 to 8 (the dihedral views), got {views}")


def _at_least(section: Any, least: int, *names: str) -> None:
    for name in names:
        if getattr(section, name) < least:
            raise ValueError(f"{name} must be at least {least}, got {getattr(section, name)}")
