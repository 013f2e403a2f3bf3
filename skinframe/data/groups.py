"""Groups of samples that must stay together, and split leaks: groups that reach over two parts of a split.

Samples are linked by patient, lesion, identical image and near-duplicate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from skinframe.errors import DataError
from skinframe.sample import Sample

KINDS = ("patient", "lesion", "image", "near-duplicate")
ImageKeys = Sequence[str | None] | None
NearPairs = Sequence[tuple[int, int]]


def links(sample: Sample, key: str | None = None, shared: Collection[str | None] = ()) -> Iterator[str]:
    """Yield what links a sample to others: patient, lesion, image hash; e.g. 'lesion HAM_0000118'.

    A lesion is one of its patient, unless it is among `shared`: those that also stand in a row without a patient.
    """
    if sample.patient is not None:
        yield f"patient {sample.patient}"
    if sample.lesion is not None:
        yield f"lesion {sample.lesion if sample.lesion in shared else sample.lesion_key}"
    if key is not None:
        yield f"image content {key}"


def components(samples: Sequence[Sample], keys: ImageKeys = None, near: NearPairs = ()) -> list[list[int]]:
    """Return the connected components as lists of indices (union-find); a component is never divided.

    Two samples are linked by the same patient, the same lesion, the same image if `keys` (image hashes) are given, and
    by a pair in `near` (indices of near-duplicates).
    """
    parent = list(range(len(samples)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[str, int] = {}
    shared = _without_patient(samples)
    for index, sample in enumerate(samples):
        for link in links(sample, keys[index] if keys else None, shared):
            a, b = root(first.setdefault(link, index)), root(index)
            parent[max(a, b)] = min(a, b)
    for pair in near:
        a, b = root(pair[0]), root(pair[1])
        parent[max(a, b)] = min(a, b)
    members: dict[int, list[int]] = {}
    for index in range(len(samples)):
        members.setdefault(root(index), []).append(index)
    return list(members.values())


def _without_patient(samples: Iterable[Sample]) -> frozenset[str | None]:
    """Return the lesions of rows without a patient: they may be anybody's, so they link whoever bears their id."""
    return frozenset(sample.lesion for sample in samples if sample.patient is None)


def leak_name(kind: str) -> str:
    """Return the name under which a leak of this kind is accepted: 'split:lesion'."""
    return f"split:{kind}"


def split_leaks(
    part_of: Mapping[int, str], samples: Sequence[Sample], keys: ImageKeys = None, near: NearPairs = ()
) -> dict[str, list[str]]:
    """Return one sentence for each link between two parts, by kind of link; kinds without a leak are absent.

    `part_of` maps sample indices to parts; samples without a part are ignored.
    """
    first_part: dict[str, str] = {}
    leaks: dict[str, list[str]] = {}
    shared = _without_patient(samples)
    for index, part in part_of.items():
        for link in links(samples[index], keys[index] if keys else None, shared):
            if first_part.setdefault(link, part) != part:
                sentence = f"{link} is in {first_part[link]} and {part} (sample {samples[index].id})"
                leaks.setdefault(link.split(" ")[0], []).append(sentence)
    for first, second in near:
        parts = part_of.get(first), part_of.get(second)
        if None not in parts and parts[0] != parts[1]:
            sentence = f"{samples[first].id} in {parts[0]} and {samples[second].id} in {parts[1]} are near-duplicates"
            leaks.setdefault("near-duplicate", []).append(sentence)
    return {kind: list(dict.fromkeys(leaks[kind])) for kind in KINDS if kind in leaks}


def refuse_leaks(leaks: Mapping[str, Sequence[str]], accept: Collection[str], source: str) -> tuple[str, ...]:
    """Raise DataError for leaks that are not accepted by name; return one sentence for each accepted one."""
    refused = {kind: sentences for kind, sentences in leaks.items() if leak_name(kind) not in accept}
    if refused:
        shown = "; ".join(first_five(sentences, "leaks") for sentences in refused.values())
        names = ", ".join(leak_name(kind) for kind in refused)
        raise DataError(
            f"{source}: {shown}; create a new split of these samples, or accept the leak: audit.accept=[{names}]"
        )
    return tuple(f"{leak_name(kind)}: {first_five(sentences, 'leaks')}" for kind, sentences in leaks.items())


def first_five(items: Iterable[str], what: str) -> str:
    """Return up to five of the items, joined, with the total count if there are more."""
    unique = list(dict.fromkeys(items))
    shown = "; ".join(unique[:5])
    return shown if len(unique) <= 5 else f"{len(unique)} {what}, the first five: {shown}"
