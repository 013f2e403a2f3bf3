"""Which samples belong together: components over patient, lesion, identical image and near-duplicate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skinframe.sample import Sample


def links(sample: Sample, key: str | None = None) -> Iterator[str]:
    """Yield what ties a sample to others: its patient, its lesion, the hash of its image; e.g. 'lesion HAM_0000118'."""
    if sample.patient is not None:
        yield f"patient {sample.patient}"
    if sample.lesion is not None:
        yield f"lesion {sample.lesion}"
    if key is not None:
        yield f"image content {key}"


def components(
    samples: Sequence[Sample], keys: Sequence[str | None] | None = None, near: Sequence[tuple[int, int]] = ()
) -> list[list[int]]:
    """Return the connected components as lists of indices, by union-find; nothing may ever split one.

    Two samples are linked by the same patient, the same lesion, with `keys` (image hashes) the same image, and by
    standing in a pair of `near` (indices of near-duplicates).
    """
    parent = list(range(len(samples)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[str, int] = {}
    for index, sample in enumerate(samples):
        for link in links(sample, keys[index] if keys else None):
            a, b = root(first.setdefault(link, index)), root(index)
            parent[max(a, b)] = min(a, b)
    for pair in near:
        a, b = root(pair[0]), root(pair[1])
        parent[max(a, b)] = min(a, b)
    members: dict[int, list[int]] = {}
    for index in range(len(samples)):
        members.setdefault(root(index), []).append(index)
    return list(members.values())
