"""Thumbnails of suspected duplicates for review: both images re-encoded, the second aligned with the first."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from skinframe.curating.audit_result import Pair
from skinframe.errors import DataError
from skinframe.preparing.near_duplicates import TEXTURE, Near
from skinframe.sample import Sample

if TYPE_CHECKING:
    from skinframe.components import Dataset

SIDE = 220  # pixels
SHOWN = 120  # pairs with pictures on one page


def pairs(
    near_pairs: Sequence[Near],
    samples: Sequence[Sample],
    dataset: Dataset,
    others: Sequence[Sample] | None = None,
    other: Dataset | None = None,
    other_set: str = "",
) -> list[Pair]:
    """Return the pairs with what agrees in them; the first `SHOWN` with pictures."""
    there, their = (samples, dataset) if others is None or other is None else (others, other)
    result = []
    for number, near in enumerate(near_pairs):
        first, second = samples[near.first], there[near.second]
        shown = number < SHOWN
        result.append(
            Pair(
                first=first.id,
                second=second.id,
                score=round(near.score, 4),
                verdict="copy" if near.score >= TEXTURE else "look-alike",
                facts=tuple(_facts(first, second, dataset, their)),
                other_set=other_set,
                left=thumbnail(dataset, first, 0) if shown else b"",
                right=thumbnail(their, second, near.view) if shown else b"",
            )
        )
    return result


def thumbnail(dataset: Dataset, sample: Sample, view: int) -> bytes:
    """Return a small JPEG of a dihedral view, holding nothing but pixels; empty where the image cannot be read."""
    from skinframe.data.images import decode
    from skinframe.features.dihedral_views import dihedral

    try:
        image = dihedral(decode(dataset.image_bytes(sample)), view)
    except (DataError, OSError):
        return b""
    image.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


def _facts(first: Sample, second: Sample, dataset: Dataset, their: Dataset) -> list[str]:
    labels = dataset.classes[first.label], their.classes[second.label]
    sentences = [f"both {labels[0]}" if labels[0] == labels[1] else f"{labels[0]} and {labels[1]}: the labels differ"]
    if first.lesion is not None and second.lesion is not None:
        sentences.append(f"lesions {first.lesion_key} and {second.lesion_key}")
    for name in sorted(set(first.metadata) & set(second.metadata)):
        values = first.metadata[name], second.metadata[name]
        if None not in values:
            agree = values[0] == values[1]
            sentences.append(f"{name} {_shown(values[0])}" + ("" if agree else f" and {_shown(values[1])}"))
    return sentences


def _shown(value: str | float | None) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
