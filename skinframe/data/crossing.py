"""What stands in two parts of a split and must not: patients, lesions, identical images, near-duplicates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from skinframe.data.groups import links
from skinframe.errors import DataError
from skinframe.sample import Sample

KINDS = ("patient", "lesion", "image", "near-duplicate")
Keys = Sequence[str | None] | None
Pairs = Sequence[tuple[int, int]]


def finding_name(kind: str) -> str:
    """Return the name by which a crossing is accepted: 'split:lesion'."""
    return f"split:{kind}"


def crossings(
    part_of: Mapping[int, str], samples: Sequence[Sample], keys: Keys = None, near: Pairs = ()
) -> dict[str, list[str]]:
    """Return, for each kind of link, one sentence a link that reaches over two parts; kinds without one are absent.

    `part_of` gives the part of each sample's index; samples in no part are passed over.
    """
    where: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for index, part in part_of.items():
        for link in links(samples[index], keys[index] if keys else None):
            if where.setdefault(link, part) != part:
                sentence = f"{link} stands in {where[link]} and {part} (sample {samples[index].id})"
                found.setdefault(link.split(" ")[0], []).append(sentence)
    for first, second in near:
        parts = part_of.get(first), part_of.get(second)
        if None not in parts and parts[0] != parts[1]:
            sentence = f"{samples[first].id} in {parts[0]} and {samples[second].id} in {parts[1]} look like copies"
            found.setdefault("near-duplicate", []).append(sentence)
    return {kind: list(dict.fromkeys(found[kind])) for kind in KINDS if kind in found}


def refuse(found: Mapping[str, Sequence[str]], accept: Collection[str], source: str) -> tuple[str, ...]:
    """Raise DataError for crossings that are not accepted by name; return one sentence for each that is."""
    standing = {kind: lines for kind, lines in found.items() if finding_name(kind) not in accept}
    if standing:
        shown = "; ".join(some(lines, "crossings") for lines in standing.values())
        names = ", ".join(finding_name(kind) for kind in standing)
        raise DataError(
            f"{source}: {shown}; make the split again from these samples, or accept the leak by name: "
            f"audit.accept=[{names}]"
        )
    return tuple(f"{finding_name(kind)}: {some(lines, 'crossings')}" for kind, lines in found.items())


def some(items: Iterable[str], what: str) -> str:
    """Return up to five of the items, with how many there are in all."""
    unique = list(dict.fromkeys(items))
    shown = "; ".join(unique[:5])
    return shown if len(unique) <= 5 else f"{len(unique)} {what}, the first: {shown}"
