"""What two sets share: ids, patients, lesions, images. A model must not be tested on what it was trained on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from skinframe.curating.finding import Finding
from skinframe.sample import Sample

SUFFIX = re.compile(r"(?<=\d)[_-][A-Za-z]+$")  # 'ISIC_0000001_downsampled' is image ISIC_0000001
EXAMPLES = 10


def shared_ids(samples: Sequence[Sample], others: Sequence[Sample], other_set: str) -> list[Finding]:
    """Return one leak for each kind of id that both sets hold: image ids, ids but for a suffix, lesions, patients."""
    here, there = {sample.id for sample in samples}, {sample.id for sample in others}
    bare = {SUFFIX.sub("", name) for name in here} & {SUFFIX.sub("", name) for name in there}
    found = [
        _shared(here & there, "id", "images have the same id in both", other_set),
        _shared(bare - (here & there), "id-but-suffix", "more have the same id but for a suffix of letters", other_set),
    ]
    for kind, said in (("lesion", "lesions have images in both"), ("patient", "patients have images in both")):
        both = {getattr(sample, kind) for sample in samples} & {getattr(sample, kind) for sample in others}
        found.append(_shared(both - {None}, kind, said, other_set))
    return [finding for finding in found if finding is not None]


def shared_images(
    samples: Sequence[Sample],
    keys: Sequence[str | None],
    others: Sequence[Sample],
    other_keys: Sequence[str | None],
    other_set: str,
) -> list[Finding]:
    """Return a leak where decoded pixels are the same in both sets, whatever the ids say."""
    place = {key: sample.id for sample, key in zip(samples, keys, strict=True) if key is not None}
    same = {
        f"{place[key]} and {sample.id}" for sample, key in zip(others, other_keys, strict=True) if key in place and key
    }
    finding = _shared(same, "image", "images have the same pixels in both", other_set)
    return [finding] if finding is not None else []


def _shared(names: set[str], kind: str, said: str, other_set: str) -> Finding | None:
    if not names:
        return None
    return Finding(
        name=f"across:{other_set}:{kind}",
        level="leak",
        sentence=f"{len(names):,} {said} sets (this one and {other_set})",
        examples=tuple(sorted(names)[:EXAMPLES]),
    )
