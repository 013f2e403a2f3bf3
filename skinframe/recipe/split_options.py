"""How samples are divided, as a recipe says it, and which leaks are taken as they are."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """Shares of the groups, or one of `folds`, or a frozen split file. Official splits of a set come first.

    `subset` keeps that share of the training images. `seed` draws the division; left out, it is the recipe's seed, so
    runs of several seeds on one split name it. Near-duplicates are looked for and kept together. A class that a
    part may lack is named in `waive`; `max_drift` is how far its share of a part may lie from its share of the set.
    """

    train: float = 0.7
    valid: float = 0.15
    test: float = 0.15
    file: str | None = None
    official: bool = True
    folds: int = 0
    fold: int = 0
    subset: float = 1.0
    seed: int | None = None
    near_duplicates: bool = True
    waive: list[str] = field(default_factory=list)
    max_drift: float = 0.05

    def __post_init__(self) -> None:
        if self.folds and not (self.folds >= 3 and 0 <= self.fold < self.folds):
            raise ValueError(f"folds must be 0 or at least 3 and fold in [0, folds), got {self.fold} of {self.folds}")
        if self.folds and self.file is not None:
            raise ValueError("file and folds exclude each other: a file is one split")
        if not 0 < self.subset <= 1:
            raise ValueError(f"subset is a share of the training images in (0, 1], got {self.subset}")
        if not 0 <= self.max_drift <= 1:
            raise ValueError(f"max_drift is a difference of shares in [0, 1], got {self.max_drift}")
        shares = (self.train, self.valid, self.test)
        if not (min(shares) > 0 and abs(sum(shares) - 1) <= 1e-6):  # so written, NaN is refused too
            raise ValueError("train, valid and test must be positive and sum to 1")


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """Known problems of the data that are accepted: findings by name, printed in the report."""

    accept: list[str] = field(default_factory=list)
