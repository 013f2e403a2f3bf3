"""Stratified group split into train, valid and test: no patient, lesion, image or near-duplicate in two parts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from skinframe.data.groups import ImageKeys, NearPairs, components, first_five, refuse_leaks, split_leaks
from skinframe.errors import DataError
from skinframe.sample import Sample
from skinframe.seeding import derive

PARTS = ("train", "valid", "test")
UNUSED = "unused"


@dataclass(frozen=True)
class Split:
    """Indices into the samples. The digest is over ids and parts, so it does not depend on the order of the samples.

    `unused` are samples that a data-efficiency subset leaves out. `accepted` describes leaks of an official split that
    were accepted by name; a split made here has none.
    """

    train: tuple[int, ...]
    valid: tuple[int, ...]
    test: tuple[int, ...]
    digest: str
    unused: tuple[int, ...] = ()
    accepted: tuple[str, ...] = ()

    def part(self, name: str) -> tuple[int, ...]:
        return {"train": self.train, "valid": self.valid, "test": self.test}[name]

    def counts(self, samples: Sequence[Sample], classes: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return images per class and `groups` for each part: the prevalence table of the report."""
        table = {}
        for name in PARTS:
            chosen = [samples[index] for index in self.part(name)]
            tally = Counter(sample.label for sample in chosen)
            row = {label: tally[index] for index, label in enumerate(classes)}
            table[name] = row | {"groups": len({sample.group for sample in chosen})}
        return table


def make_split(
    samples: Sequence[Sample],
    *,
    fractions: tuple[float, float, float] = (0.7, 0.15, 0.15),
    seed: int,
    keys: ImageKeys = None,
    near: NearPairs = (),
    official: bool = True,
    accept: Collection[str] = (),
) -> Split:
    """Return train, valid and test, by components and stratified by class; the same on every platform.

    Connected components are placed by `StratifiedFill`, largest first and otherwise in an order drawn from `seed`. With
    `official` an official split (`Sample.split`) is kept; a part that it does not have is taken from its train part.
    With `keys` (image hashes) identical images stay together, with `near` (pairs of indices) near-duplicates. Raises
    DataError if an official split leaks in a way that `accept` does not name, or if a part is empty.
    """
    if len(fractions) != 3 or any(not 0 <= f <= 1 for f in fractions) or abs(sum(fractions) - 1) > 1e-6:
        raise ValueError(f"fractions must be three numbers in [0, 1] that sum to 1, got {fractions}")
    if official and any(sample.split is not None for sample in samples):
        accepted = _check_official(samples, keys, near, accept)
    else:
        samples, accepted = [replace(sample, split=None) for sample in samples], ()
    groups = components(samples, keys, near)
    fill = StratifiedFill([sample.label for sample in samples], groups, fractions)
    used = {sample.split for sample in samples}
    parts = [""] * len(samples)
    for group in seeded_order(groups, samples, seed):
        for piece in _pieces(group, samples):
            chosen = fill.place(piece, _allowed(samples[piece[0]].split, used, fractions))
            for index in piece:
                parts[index] = PARTS[chosen]
    split = from_parts(samples, parts)
    for name, fraction in zip(PARTS, fractions, strict=True):
        if fraction and not split.part(name):
            raise DataError(f"split: {name} is empty: {len(groups)} groups are too few for fractions {fractions}")
    return check_split(split, samples, keys, near, accept if accepted else ())


def seeded_order(
    groups: Sequence[list[int]], samples: Sequence[Sample], seed: int, what: str = "split"
) -> list[list[int]]:
    """Return the components largest first; ties are ordered by the seed and the ids."""
    named = [(min(samples[index].id for index in group), group) for group in groups]
    return [group for _, group in sorted(named, key=lambda pair: (-len(pair[1]), derive(seed, what, pair[0]), pair[0]))]


def _check_official(
    samples: Sequence[Sample], keys: ImageKeys, near: NearPairs, accept: Collection[str]
) -> tuple[str, ...]:
    unknown = [sample for sample in samples if sample.split not in (None, *PARTS)]
    if unknown:
        names = ", ".join(PARTS)
        raise DataError(f"sample {unknown[0].id}: official split {unknown[0].split!r} is not one of {names}")
    placed = {index: sample.split for index, sample in enumerate(samples) if sample.split is not None}
    return refuse_leaks(split_leaks(placed, samples, keys, near), accept, "official split")


def _pieces(group: list[int], samples: Sequence[Sample]) -> list[list[int]]:
    """Return a component as one piece, or one piece per official part if an accepted official split divides it."""
    official = sorted({samples[index].split for index in group} - {None}, key=str)
    if len(official) < 2:
        first = [index for index in group if samples[index].split is not None]
        return [first[:1] + [index for index in group if index not in first[:1]]]
    # a sample without an official part goes with the first part of its component
    return [[i for i in group if (samples[i].split or official[0]) == part] for part in official]


def _allowed(official: str | None, used: set[str | None], fractions: Sequence[float]) -> list[int]:
    """Return the parts that a component may go to: its official part, or all parts with a share."""
    free = [s for s, fraction in enumerate(fractions) if fraction]
    if official is None:
        return free
    if official != "train":
        return [PARTS.index(official)]
    return [s for s in free if s == 0 or PARTS[s] not in used] or [0]


def from_parts(samples: Sequence[Sample], parts: Sequence[str]) -> Split:
    """Return the Split in which sample i is in `parts[i]`: the name of a part or 'unused'."""
    lines = sorted(f"{sample.id}\x1f{part}" for sample, part in zip(samples, parts, strict=True))
    digest = hashlib.sha256("\x1e".join(lines).encode()).hexdigest()
    train, valid, test, unused = (tuple(i for i, part in enumerate(parts) if part == n) for n in (*PARTS, UNUSED))
    return Split(train, valid, test, digest, unused)


def check_split(
    split: Split,
    samples: Sequence[Sample],
    keys: ImageKeys = None,
    near: NearPairs = (),
    accept: Collection[str] = (),
) -> Split:
    """Return the split with its accepted leaks.

    Raises DataError naming each patient, lesion, image content or near-duplicate that is in two parts and not accepted,
    or a sample that is in no part or in two.
    """
    times = Counter([*(index for name in PARTS for index in split.part(name)), *split.unused])
    part_of = {index: name for name in PARTS for index in split.part(name)}
    accepted = refuse_leaks(split_leaks(part_of, samples, keys, near), accept, "split")
    wrong = [sample.id for index, sample in enumerate(samples) if times[index] != 1]
    if wrong or len(times) != len(samples):
        raise DataError(f"split: not in exactly one part: {first_five(wrong, 'samples')}; create a new split")
    return replace(split, accepted=accepted)


class StratifiedFill:
    """Greedy stratified assignment of whole groups, largest first, to the part s that least increases

    sum_c (n[s, c] - f[s] N[c])^2 / (f[s] N[c]), where f are the parts' shares. A class with no more groups left than
    parts without it is spread over those parts.
    """

    def __init__(self, labels: Sequence[int], groups: Sequence[Sequence[int]], fractions: Sequence[float]) -> None:
        self.labels, self.fractions = labels, fractions
        self.total = Counter(labels)
        self.counts: list[Counter[int]] = [Counter() for _ in fractions]
        self.left = Counter(label for group in groups for label in {labels[index] for index in group})

    def place(self, group: Sequence[int], allowed: Sequence[int]) -> int:
        """Return the part of a group of sample indices, and count the group there."""
        counts = Counter(self.labels[index] for index in group)
        if len(allowed) == 1:
            return self._put(allowed[0], counts)
        for label in sorted(counts, key=lambda c: (self.left[c], c)):  # the rarest class first
            empty = [s for s in allowed if self.counts[s][label] == 0]
            if 0 < self.left[label] <= len(empty):
                # parts of one share cost the same here; the emptier one first, so that rare classes reach all parts
                return self._put(min(empty, key=lambda s: (self._cost(s, counts), self._filled(s), s)), counts)
        return self._put(min(allowed, key=lambda s: (self._cost(s, counts), s)), counts)

    def _filled(self, s: int) -> float:
        return self.counts[s].total() / self.fractions[s]

    def _put(self, s: int, counts: Counter[int]) -> int:
        self.counts[s].update(counts)
        self.left.subtract(counts.keys())
        return s

    def _cost(self, s: int, counts: Counter[int]) -> float:
        cost = 0.0
        for label in sorted(counts):
            target = self.fractions[s] * self.total[label]
            cost += counts[label] * (2 * (self.counts[s][label] - target) + counts[label]) / target
        return cost
