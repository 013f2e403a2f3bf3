"""How a recipe trains: the options of all training, of each stage of it, and which epoch is kept."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Train:
    """The optimisation. `batch_size` is samples per optimiser step, `max_tokens` padded tokens per micro-batch.

    `epochs: 0` trains nothing: the model is evaluated as it is loaded. `gather` says on what a term that couples
    samples is computed: the whole `step`, at the price of a second forward pass where the step is cut, or each
    `micro`-batch. A checkpoint is written every `save_every` steps inside an epoch too; 0: at its end only.
    `keep: last_and_best` keeps the last two checkpoints and the best one, `all` every epoch's. Adapters learn at `lr`,
    heads at `head_lr`, the connector at `connector_lr` or as the heads do. `clip` bounds the gradient's norm, 0 does
    not: a bound that binds at every step gives all steps the same length, and class weights lose their force between
    them. `gradient_norms_every: 0` measures no gradient norm of single terms. `deterministic` refuses an operation that
    gives other bits each time, which some do on a GPU.
    """

    epochs: int = 10
    """Passes over the training images; 0 evaluates the model as it is loaded."""
    batch_size: int = 32
    """Samples per optimiser step."""
    max_tokens: int = 8192
    """Padded tokens per micro-batch, which bounds memory."""
    gather: Literal["step", "micro"] = "step"
    """Compute coupled losses on the whole `step` (which may need a second forward pass) or on each `micro`-batch."""
    lr: float = 1e-4
    """Learning rate of the adapters and trained encoders."""
    head_lr: float | None = None
    """Learning rate of the heads; left out, `lr`."""
    connector_lr: float | None = None
    """Learning rate of the reasoner's connector; left out, that of the heads."""
    weight_decay: float = 0.01
    """Decoupled weight decay of AdamW."""
    warmup: float = 0.05
    """Share of all steps over which the rates rise from 0."""
    clip: float = 1.0
    """Largest gradient norm of a step; 0 does not clip."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Precision of the forward pass; losses are always float32."""
    views: int = 1
    """How many of the eight turned and mirrored views of an image training draws from."""
    gradient_norms_every: int = 10
    """Steps between measurements of each term's gradient norm; 0 never measures."""
    threads: int = 2
    """CPU threads; results depend on it only where sums are ordered by threads."""
    save_every: int = 0
    """Steps between checkpoints inside an epoch; 0 saves at the end of each epoch only."""
    keep: Literal["last_and_best", "all"] = "last_and_best"
    """Keep the last two checkpoints and the best, or every epoch's."""
    deterministic: bool = False
    """Refuse operations that give other bits each time, as some do on a GPU."""
    tensorboard: bool = False
    """Also write TensorBoard event files."""

    def __post_init__(self) -> None:
        at_least(self, 1, "batch_size", "max_tokens", "threads")
        at_least(self, 0, "epochs", "save_every", "gradient_norms_every")
        check_views(self.views)
        if not all(0 < rate < math.inf for rate in self.rates.values()):
            raise ValueError("lr, head_lr and connector_lr must be positive")
        if not (0 <= self.weight_decay < math.inf and 0 <= self.clip < math.inf):
            raise ValueError("weight_decay and clip must not be negative; clip 0 never clips")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup is a share of all steps in [0, 1), got {self.warmup}")

    def checkpoints(self, epochs: int) -> int:
        """Return how many checkpoints of epochs exist at most: the last two and the best as of each, or all."""
        return epochs if self.keep == "all" else min(epochs, 4)

    @property
    def rates(self) -> dict[str, float]:
        """The base rate of each trained part; the connector's is the heads' where it is left out, theirs is `lr`."""
        heads = self.lr if self.head_lr is None else self.head_lr
        return {
            "adapter": self.lr,
            "encoders": self.lr,
            "heads": heads,
            "reasoner": heads if self.connector_lr is None else self.connector_lr,
        }


@dataclass(frozen=True, kw_only=True)
class Select:
    """Which epoch is kept: by a validation metric only. `mode` follows the metric where it is left out; `patience` 0
    never stops early. With stages, the choice is among the epochs of the `last` stage, or of `all`."""

    by: str = "nll"
    """Validation metric that chooses the epoch."""
    mode: Literal["min", "max"] | None = None
    """Whether lower or higher is better; left out, the metric's own direction."""
    patience: int = 0
    """Epochs without improvement before training stops; 0 never stops early."""
    stages: Literal["last", "all"] = "last"
    """Choose among the epochs of the `last` stage or of `all`."""

    def __post_init__(self) -> None:
        at_least(self, 0, "patience")


@dataclass(frozen=True)
class StagePlan:
    """One stage with every option filled in. `parts` are addresses of trained parts; none means all of them."""

    parts: tuple[str, ...]
    train: Train
    select: Select


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of training: `parts` are trained for `epochs` epochs with an optimiser and a schedule of their own.

    A part is `heads`, `heads.NAME`, `reasoner`, `reasoner.connector` or `reasoner.adapter`; none means all. What is
    left out is as `train` and `select` say. The stage ends after its epochs, or where `patience` runs out; the next one
    starts from its best epoch by the validation metric `by`. Schedules of loss weights count from the stage's start.
    """

    parts: list[str] = field(default_factory=list)
    epochs: int | None = None
    lr: float | None = None
    head_lr: float | None = None
    connector_lr: float | None = None
    weight_decay: float | None = None
    warmup: float | None = None
    clip: float | None = None
    by: str | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        self.plan(Train(), Select())  # the same ranges

    def plan(self, train: Train, select: Select) -> StagePlan:
        """Return the stage with what it leaves out taken from `train` and `select`."""
        own = {name: value for name, value in vars(self).items() if value is not None and name != "parts"}
        chosen = {name: own.pop(name) for name in ("by", "patience") if name in own}
        mode = select.mode if chosen.get("by", select.by) == select.by else None
        return StagePlan(
            tuple(self.parts), dataclasses.replace(train, **own), dataclasses.replace(select, **chosen, mode=mode)
        )


def check_views(views: int) -> None:
    """Raise ValueError where there are not so many dihedral views."""
    if not 1 <= views <= 8:
        raise ValueError(f"views must be 1 to 8 (the dihedral views), got {views}")


def at_least(section: Any, least: int, *names: str) -> None:
    """Raise ValueError naming an option of a section that is below `least`."""
    for name in names:
        if getattr(section, name) < least:
            raise ValueError(f"{name} must be at least {least}, got {getattr(section, name)}")
