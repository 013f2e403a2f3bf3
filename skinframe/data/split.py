"""Frozen stratified group splits: no patient, lesion, image or near-duplicate ever stands in two of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from skinframe.data.crossing import Keys, Pairs, crossings, refuse, some
from skinframe.data.fill import Fill
from skinframe.data.groups import components
from skinframe.errors import DataError
from skinframe.sample import Sample
from skinframe.seeding import derive

PARTS = ("train", "valid", "test")
UNUSED = "unused"


@dataclass(frozen=True)
class Split:
    """Indices into the samples, in their order; the digest is over ids, so the order of the samples does not enter.

    `unused` are samples that a data-efficiency subset leaves out. `accepted` says what reaches over two parts and was
    accepted by name; it is empty for every split made here.
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
    near: Pairs = (),
    official: bool = True,
    accept: Collection[str] = (),
) -> Split:
    """Return train, valid and test, by components and stratified by class; the same on every platform.

    Components go, largest first and otherwise in an order drawn from `seed`, where `Fill` says. An official split
    (`Sample.split`) is kept where `official` is; a part that it lacks is taken from its train part. With `keys` (image
    hashes) identical images stay together too, with `near` (pairs of indices) near-duplicates. Raises DataError where
    an official split is leaky (and `accept` does not name how) or a part is empty.
    """
    if len(fractions) != 3 or any(not 0 <= f <= 1 for f in fractions) or abs(sum(fractions) - 1) > 1e-6:
        raise ValueError(f"fractions must be three numbers in [0, 1] that sum to 1, got {fractions}")
    if official and any(sample.split is not None for sample in samples):
        accepted = _judge_official(samples, keys, near, accept)
    else:
        samples, accepted = [replace(sample, split=None) for sample in samples], ()
    groups = components(samples, keys, near)
    fill = Fill([sample.label for sample in samples], groups, fractions)
    used = {sample.split for sample in samples}
    parts = [""] * len(samples)
    for group in drawn(groups, samples, seed):
        for piece in _pieces(group, samples):
            chosen = fill.place(piece, _allowed(samples[piece[0]].split, used, fractions))
            for index in piece:
                parts[index] = PARTS[chosen]
    split = from_parts(samples, parts)
    for name, fraction in zip(PARTS, fractions, strict=True):
        if fraction and not split.part(name):
            raise DataError(f"split: {name} is empty: {len(groups)} groups are too few for fractions {fractions}")
    return check_split(split, samples, keys, near, accept if accepted else ())


def drawn(groups: Sequence[list[int]], samples: Sequence[Sample], seed: int, what: str = "split") -> list[list[int]]:
    """Return the components largest first, and among equals in an order drawn from the seed and their ids."""
    named = [(min(samples[index].id for index in group), group) for group in groups]
    return [group for _, group in sorted(named, key=lambda one: (-len(one[1]), derive(seed, what, one[0]), one[0]))]


def _judge_official(samples: Sequence[Sample], keys: Keys, near: Pairs, accept: Collection[str]) -> tuple[str, ...]:
    unknown = [sample for sample in samples if sample.split not in (None, *PARTS)]
    if unknown:
        names = ", ".join(PARTS)
        raise DataError(f"sample {unknown[0].id}: official split {unknown[0].split!r} is not one of {names}")
    placed = {index: sample.split for index, sample in enumerate(samples) if sample.split is not None}
    return refuse(crossings(placed, samples, keys, near), accept, "official split")


def _pieces(group: list[int], samples: Sequence[Sample]) -> list[list[int]]:
    """Return a component whole, or cut by official part where an accepted official split cuts it."""
    official = sorted({samples[index].split for index in group} - {None}, key=str)
    if len(official) < 2:
        first = [index for index in group if samples[index].split is not None]
        return [first[:1] + [index for index in group if index not in first[:1]]]
    # a sample without an official part goes with the first part of its component
    return [[i for i in group if (samples[i].split or official[0]) == part] for part in official]


def _allowed(official: str | None, used: set[str | None], fractions: Sequence[float]) -> list[int]:
    """Return the parts that a component may go to: its official one, or those that have a share."""
    free = [s for s, fraction in enumerate(fractions) if fraction]
    if official is None:
        return free
    if official != "train":
        return [PARTS.index(official)]
    return [s for s in free if s == 0 or PARTS[s] not in used] or [0]


def from_parts(samples: Sequence[Sample], parts: Sequence[str]) -> Split:
    """Return the Split in which sample i stands in `parts[i]`: a part's name or 'unused'."""
    lines = sorted(f"{sample.id}\x1f{part}" for sample, part in zip(samples, parts, strict=True))
    digest = hashlib.sha256("\x1e".join(lines).encode()).hexdigest()
    train, valid, test, unused = (tuple(i for i, part in enumerate(parts) if part == n) for n in (*PARTS, UNUSED))
    return Split(train, valid, test, digest, unused)


def check_split(
    split: Split,
    samples: Sequence[Sample],
    keys: Keys = None,
    near: Pairs = (),
    accept: Collection[str] = (),
) -> Split:
    """Return the split with what was accepted of it.

    Raises DataError naming each patient, lesion, image content or near-duplicate that stands in two parts and is not
    accepted, or a sample in none or in two.
    """
    seen = Counter([*(index for name in PARTS for index in split.part(name)), *split.unused])
    part_of = {index: name for name in PARTS for index in split.part(name)}
    accepted = refuse(crossings(part_of, samples, keys, near), accept, "split")
    wrong = [sample.id for index, sample in enumerate(samples) if seen[index] != 1]
    if wrong or len(seen) != len(samples):
        raise DataError(f"split: {some(wrong, 'samples')} stand in no part or in two; make the split again")
    return replace(split, accepted=accepted)
