"""Frozen stratified group splits: no patient, lesion or image ever stands in two of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skinframe.data.groups import components, links
from skinframe.errors import DataError
from skinframe.sample import Sample
from skinframe.seeding import derive

PARTS = ("train", "valid", "test")
Keys = Sequence[str | None] | None


@dataclass(frozen=True)
class Split:
    """Indices into the samples, in their order; the digest is over ids, so the order of the samples does not enter."""

    train: tuple[int, ...]
    valid: tuple[int, ...]
    test: tuple[int, ...]
    digest: str

    def part(self, name: str) -> tuple[int, ...]:
        return {"train": self.train, "valid": self.valid, "test": self.test}[name]

    def counts(self, samples: Sequence[Sample], classes: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return images a class for each part, with `groups`: the prevalence table of the report."""
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
    keys: Keys = None,
) -> Split:
    """Return train, valid and test, by components and stratified by class; the same on every platform.

    Components go, largest first and otherwise in an order drawn from `seed`, to the part s that least raises
    sum_c (n[s, c] - f[s] N[c])^2 / (f[s] N[c]). A class with as few components as parts is spread over them.
    An official split (`Sample.split`) is kept; a part that it lacks is taken from its train part. With `keys` (image
    hashes) identical images stay together too. Raises DataError where an official split is leaky or a part is empty.
    """
    if len(fractions) != 3 or any(not 0 <= f <= 1 for f in fractions) or abs(sum(fractions) - 1) > 1e-6:
        raise ValueError(f"fractions must be three numbers in [0, 1] that sum to 1, got {fractions}")
    groups = components(samples, keys)
    names = [min(samples[index].id for index in group) for group in groups]
    order = sorted(range(len(groups)), key=lambda g: (-len(groups[g]), derive(seed, "split", names[g]), names[g]))
    fill = _Fill([samples[index].label for index in range(len(samples))], groups, fractions)
    used = {sample.split for sample in samples}
    parts = [""] * len(samples)
    for g in order:
        allowed = _allowed([samples[index] for index in groups[g]], used, fractions)
        chosen = fill.place(groups[g], allowed)
        for index in groups[g]:
            parts[index] = PARTS[chosen]
    split = from_parts(samples, parts)
    for name, fraction in zip(PARTS, fractions, strict=True):
        if fraction and not split.part(name):
            raise DataError(f"split: {name} is empty: {len(groups)} groups are too few for fractions {fractions}")
    check_split(split, samples, keys)
    return split


class _Fill:
    """How full each part is, a class at a time."""

    def __init__(self, labels: Sequence[int], groups: Sequence[Sequence[int]], fractions: Sequence[float]) -> None:
        self.labels, self.fractions = labels, fractions
        self.total = Counter(labels)
        self.have: list[Counter[int]] = [Counter() for _ in fractions]
        self.left = Counter(label for group in groups for label in {labels[index] for index in group})

    def place(self, group: Sequence[int], allowed: Sequence[int]) -> int:
        counts = Counter(self.labels[index] for index in group)
        if len(allowed) == 1:
            return self._put(allowed[0], counts)
        for label in sorted(counts, key=lambda c: (self.left[c], c)):  # the scarcest class is served first
            empty = [s for s in allowed if self.have[s][label] == 0]
            if 0 < self.left[label] <= len(empty):
                allowed = empty
                break
        return self._put(min(allowed, key=lambda s: (self._cost(s, counts), s)), counts)

    def _put(self, s: int, counts: Counter[int]) -> int:
        self.have[s].update(counts)
        self.left.subtract(counts.keys())
        return s

    def _cost(self, s: int, counts: Counter[int]) -> float:
        cost = 0.0
        for label in sorted(counts):
            target = self.fractions[s] * self.total[label]
            cost += counts[label] * (2 * (self.have[s][label] - target) + counts[label]) / target
        return cost


def _allowed(group: Sequence[Sample], used: set[str | None], fractions: Sequence[float]) -> list[int]:
    """Return the parts that a component may go to: its official one, or those that have a share."""
    official = sorted({sample.split for sample in group if sample.split is not None})
    unknown = [name for name in official if name not in PARTS]
    if unknown:
        raise DataError(f"sample {group[0].id}: official split {unknown[0]!r} is not one of {', '.join(PARTS)}")
    if len(official) > 1:
        raise DataError(
            f"official split: {group[0].group.replace(':', ' ')} ({len(group)} linked images, such as {group[0].id}) "
            f"stands in {' and '.join(official)}; the images of one patient or lesion must stay together"
        )
    free = [s for s, fraction in enumerate(fractions) if fraction]
    if not official:
        return free
    if official != ["train"]:
        return [PARTS.index(official[0])]
    return [s for s in free if s == 0 or PARTS[s] not in used] or [0]


def from_parts(samples: Sequence[Sample], parts: Sequence[str]) -> Split:
    """Return the Split in which sample i stands in `parts[i]`."""
    lines = sorted(f"{sample.id}\x1f{part}" for sample, part in zip(samples, parts, strict=True))
    digest = hashlib.sha256("\x1e".join(lines).encode()).hexdigest()
    train, valid, test = (tuple(i for i, part in enumerate(parts) if part == name) for name in PARTS)
    return Split(train, valid, test, digest)


def check_split(split: Split, samples: Sequence[Sample], keys: Keys = None) -> None:
    """Raise DataError naming each patient, lesion or image content that stands in two parts, or a sample in none."""
    where: dict[str, str] = {}
    crossing: list[str] = []
    seen: Counter[int] = Counter()
    for name in PARTS:
        seen.update(split.part(name))
        for index in split.part(name):
            for link in links(samples[index], keys[index] if keys else None):
                if where.setdefault(link, name) != name:
                    crossing.append(f"{link} stands in {where[link]} and {name} (sample {samples[index].id})")
    if crossing:
        raise DataError(f"split: {_some(crossing, 'crossings')}; make the split again from these samples")
    wrong = [samples[index].id for index in range(len(samples)) if seen[index] != 1]
    if wrong or len(seen) != len(samples):
        raise DataError(f"split: {_some(wrong, 'samples')} stand in no part or in two; make the split again")


def _some(items: Iterable[str], what: str) -> str:
    unique = list(dict.fromkeys(items))
    shown = "; ".join(unique[:5])
    return shown if len(unique) <= 5 else f"{len(unique)} {what}, the first: {shown}"
