"""k folds and data-efficiency subsets, both by whole components and stratified by class."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from skinframe.data.crossing import Keys, Pairs
from skinframe.data.fill import Fill
from skinframe.data.groups import components
from skinframe.data.split import PARTS, UNUSED, Split, check_split, drawn, from_parts
from skinframe.errors import DataError
from skinframe.sample import Sample
from skinframe.seeding import derive


def make_folds(
    samples: Sequence[Sample], *, folds: int, seed: int, keys: Keys = None, near: Pairs = ()
) -> tuple[int, ...]:
    """Return the fold of each sample, the same on every platform. Raises DataError where a fold stays empty.

    Own greedy filling, not scikit-learn's StratifiedGroupKFold: that one has mis-assigned shuffled groups (mended in
    1.9) and may still leave a fold empty.
    """
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}")
    groups = components(samples, keys, near)
    fill = Fill([sample.label for sample in samples], groups, [1 / folds] * folds)
    found = [0] * len(samples)
    for group in drawn(groups, samples, seed, "folds"):
        fold = fill.place(group, range(folds))
        for index in group:
            found[index] = fold
    empty = sorted(set(range(folds)) - set(found))
    if empty:
        raise DataError(
            f"split: fold {empty[0]} of {folds} is empty: {len(groups)} groups are too few; use fewer folds"
        )
    return tuple(found)


def fold_split(
    samples: Sequence[Sample], *, folds: int, fold: int, seed: int, keys: Keys = None, near: Pairs = ()
) -> Split:
    """Return the split that tests on fold `fold`, validates on the next one and trains on the rest.

    All folds of one seed come from one division, so every sample is tested exactly once. Raises DataError.
    """
    if folds < 3 or not 0 <= fold < folds:
        raise ValueError(f"fold must be in [0, folds) and folds at least 3, got fold {fold} of {folds}")
    of = make_folds(samples, folds=folds, seed=seed, keys=keys, near=near)
    names = {fold: "test", (fold + 1) % folds: "valid"}
    split = from_parts(samples, [names.get(number, "train") for number in of])
    return check_split(split, samples, keys, near)


def subset(
    split: Split, samples: Sequence[Sample], *, share: float, seed: int, keys: Keys = None, near: Pairs = ()
) -> Split:
    """Return the split with about `share` of its training images, for data-efficiency curves.

    Each class keeps its share, components stay whole, and a smaller share is a part of every larger one of the same
    seed: components stand in one fixed order within the stratum of their rarest class, and those whose middle lies
    below `share` stay, at least one a stratum. Validation and test are untouched.
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
        groups.sort(key=lambda group: _place(group, samples, seed))
        total, before = sum(map(len, groups)), 0
        for number, group in enumerate(groups):
            if number == 0 or (before + len(group) / 2) / total < share:
                kept.update(group)
            before += len(group)
    part_of = {index: name for name in PARTS for index in split.part(name)}
    names = [UNUSED if part_of[i] == "train" and i not in kept else part_of[i] for i in range(len(samples))]
    return check_split(from_parts(samples, names), samples, keys, near)


def _place(group: Sequence[int], samples: Sequence[Sample], seed: int) -> tuple[int, str]:
    name = min(samples[index].id for index in group)
    return derive(seed, "subset", name), name
