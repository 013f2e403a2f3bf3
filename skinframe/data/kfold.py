"""k-fold splits, data-efficiency subsets and the calibration fold: whole components, stratified by class."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from skinframe.data.group_split import (
    PARTS,
    UNUSED,
    Split,
    StratifiedFill,
    check_split,
    from_parts,
    make_split,
    seeded_order,
)
from skinframe.data.groups import ImageKeys, NearPairs, components
from skinframe.errors import DataError
from skinframe.sample import Sample
from skinframe.seeding import derive

SHARED = "the calibrator was fitted on the same images that selected the epoch, so its figures are slightly optimistic"
MIN_GROUPS = 20  # in each half; fewer cannot select an epoch or fit a temperature


def make_folds(
    samples: Sequence[Sample], *, folds: int, seed: int, keys: ImageKeys = None, near: NearPairs = ()
) -> tuple[int, ...]:
    """Return the fold of each sample, the same on every platform. Raises DataError if a fold is empty.

    Not scikit-learn's StratifiedGroupKFold: it mis-assigned shuffled groups before 1.9 and may leave a fold empty.
    """
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}")
    groups = components(samples, keys, near)
    fill = StratifiedFill([sample.label for sample in samples], groups, [1 / folds] * folds)
    assigned = [0] * len(samples)
    for group in seeded_order(groups, samples, seed, "folds"):
        fold = fill.place(group, range(folds))
        for index in group:
            assigned[index] = fold
    empty = sorted(set(range(folds)) - set(assigned))
    if empty:
        raise DataError(
            f"split: fold {empty[0]} of {folds} is empty: {len(groups)} groups are too few; use fewer folds"
        )
    return tuple(assigned)


def fold_split(
    samples: Sequence[Sample], *, folds: int, fold: int, seed: int, keys: ImageKeys = None, near: NearPairs = ()
) -> Split:
    """Return the split that tests on fold `fold`, validates on the next one and trains on the others.

    The folds of one seed are one partition, so every sample is tested exactly once. Raises DataError.
    """
    if folds < 3 or not 0 <= fold < folds:
        raise ValueError(f"fold must be in [0, folds) and folds at least 3, got fold {fold} of {folds}")
    fold_of = make_folds(samples, folds=folds, seed=seed, keys=keys, near=near)
    names = {fold: "test", (fold + 1) % folds: "valid"}
    split = from_parts(samples, [names.get(number, "train") for number in fold_of])
    return check_split(split, samples, keys, near)


def subset(
    split: Split, samples: Sequence[Sample], *, share: float, seed: int, keys: ImageKeys = None, near: NearPairs = ()
) -> Split:
    """Return the split with about `share` of its training images, for data-efficiency curves.

    Each class keeps its share, components stay whole, and a smaller subset is contained in every larger one of the same
    seed: components have one fixed order within the stratum of their rarest class, and those whose midpoint is below
    `share` are kept, at least one per stratum. Validation and test are unchanged.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be in (0, 1], got {share}")
    if share == 1:
        return split
    train = set(split.train)
    tally = Counter(samples[index].label for index in train)
    strata: dict[int, list[list[int]]] = defaultdict(list)
    for group in components(samples, keys, near):
        own = [index for index in group if index in train]
        if own:
            strata[min((samples[i].label for i in own), key=lambda label: (tally[label], label))].append(own)
    kept: set[int] = set()
    for groups in strata.values():
        groups.sort(key=lambda group: _subset_rank(group, samples, seed))
        total, before = sum(map(len, groups)), 0
        for number, group in enumerate(groups):
            if number == 0 or (before + len(group) / 2) / total < share:
                kept.update(group)
            before += len(group)
    part_of = {index: name for name in PARTS for index in split.part(name)}
    names = [UNUSED if part_of[i] == "train" and i not in kept else part_of[i] for i in range(len(samples))]
    return check_split(from_parts(samples, names), samples, keys, near)


def _subset_rank(group: Sequence[int], samples: Sequence[Sample], seed: int) -> tuple[int, str]:
    name = min(samples[index].id for index in group)
    return derive(seed, "subset", name), name


@dataclass(frozen=True)
class CalibrationFold:
    """The validation rows that select the epoch and those that fit the calibrator; `warning` if they are the same."""

    selection: tuple[int, ...]
    calibration: tuple[int, ...]
    warning: str = ""

    @property
    def own(self) -> bool:
        """Whether the calibrator has its own patients."""
        return self.selection != self.calibration


def calibration_fold(
    samples: Sequence[Sample],
    rows: Sequence[int],
    *,
    share: float,
    seed: int,
    keys: ImageKeys = None,
    near: NearPairs = (),
    level: str = "group",
) -> CalibrationFold:
    """Take `share` of the validation rows for calibration: whole components, stratified by class.

    Both parts are all rows, with a warning, if share is 0 or either part would have too few groups.
    """
    everything = tuple(rows)
    if not share:
        return CalibrationFold(
            everything, everything, f"calibration is 0, so there is no separate calibration fold: {SHARED}"
        )
    chosen = [replace(samples[row], split=None) for row in everything]
    chosen_keys = None if keys is None else [keys[row] for row in everything]
    place = {row: i for i, row in enumerate(everything)}
    chosen_near = [(place[first], place[second]) for first, second in near if first in place and second in place]
    groups = len({sample.group for sample in chosen})
    try:
        divided = make_split(chosen, fractions=(1 - share, share, 0.0), seed=seed, keys=chosen_keys, near=chosen_near)
    except DataError:
        divided = None
    halves = [] if divided is None else [tuple(everything[i] for i in part) for part in (divided.train, divided.valid)]
    if not halves or min(len({samples[row].group for row in half}) for half in halves) < MIN_GROUPS:
        return CalibrationFold(
            everything,
            everything,
            f"validation has only {groups} {level}s, too few for a separate calibration fold: {SHARED}",
        )
    return CalibrationFold(halves[0], halves[1])
