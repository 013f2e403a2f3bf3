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
    """Share of the groups that train."""
    valid: float = 0.15
    """Share of the groups that choose the epoch and fit the calibrator."""
    test: float = 0.15
    """Share of the groups that are evaluated once, at the end."""
    file: str | None = None
    """A split file of `skinframe data split`, used instead of a new split."""
    official: bool = True
    """Keep the data set's official split, where it has one."""
    folds: int = 0
    """Number of cross-validation folds; 0 makes one split."""
    fold: int = 0
    """Which fold is the test part, counted from 0."""
    subset: float = 1.0
    """Share of the training images to keep, for learning curves."""
    seed: int | None = None
    """Seed of the split; left out, the recipe's seed, so runs of several seeds on one split name it."""
    near_duplicates: bool = True
    """Look for near-duplicate images and keep each pair in one part."""
    waive: list[str] = field(default_factory=list)
    """Classes that a part may lack."""
    max_drift: float = 0.05
    """How far a class's share of a part may be from its share of the set."""

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
    """Names of leaks that are accepted, such as `split:patient`; the report lists them."""
