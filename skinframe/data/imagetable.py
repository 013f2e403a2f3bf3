"""Every image of a set once: its content key, whether it decodes, and the list of those that cannot be used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from PIL import Image

from skinframe.components import Dataset
from skinframe.data.images import MAX_BYTES, MAX_PIXELS, ImageProblem, decode
from skinframe.data.pool import PATIENCE, chunked_map
from skinframe.data.problems import listing
from skinframe.errors import DataError
from skinframe.sample import Sample

Policy = Literal["error", "quarantine"]
Row = tuple[str | None, str, bytes]  # key or None, reason, encoded bytes where they are to be kept


@dataclass(frozen=True)
class Reading:
    """How images are read: `decoded` proves that each decodes whole, `keep` sends its bytes back."""

    dataset: Dataset
    decoded: bool
    keep: bool
    max_pixels: int
    max_bytes: int
    draft: int

    def __call__(self, sample: Sample) -> Row:
        try:
            data = self.dataset.image_bytes(sample)
            if self.decoded:
                self.decode(data)
        except ImageProblem as problem:
            return None, problem.reason, b""
        except (DataError, OSError) as error:  # the reason goes into reports, where no path stands
            return None, " ".join(str(error).split()).replace(sample.image, "its file"), b""
        return hashlib.sha256(data).hexdigest(), "", data if self.keep else b""

    def image(self, sample: Sample, key: str, data: bytes | None = None) -> Image.Image:
        """Return the decoded image. Raises DataError where its bytes are not those that were hashed to `key`."""
        data = self.dataset.image_bytes(sample) if data is None else data
        if hashlib.sha256(data).hexdigest() != key:
            raise DataError(f"sample {sample.id}: its image changed during the run; start the run again")
        return self.decode(data)

    def decode(self, data: bytes) -> Image.Image:
        return decode(data, max_pixels=self.max_pixels, max_bytes=self.max_bytes, draft=self.draft)


@dataclass(frozen=True)
class ImageTable:
    """`keys[i]` is the SHA-256 of image i's encoded bytes; None where it is quarantined, with (id, reason) listed."""

    dataset: Dataset
    samples: Sequence[Sample]
    keys: list[str | None]
    quarantined: list[tuple[str, str]]
    reading: Reading
    kept: dict[int, bytes] = field(default_factory=dict, repr=False)

    def image(self, index: int) -> Image.Image:
        """Return the decoded image. Raises DataError where it is quarantined or has changed since it was hashed."""
        sample, key = self.samples[index], self.keys[index]
        if key is None:
            raise DataError(f"sample {sample.id}: its image is quarantined")
        return self.reading.image(sample, key, self.kept.get(index))


def image_table(
    dataset: Dataset,
    samples: Sequence[Sample],
    *,
    policy: Policy = "error",
    max_fraction: float = 0.01,
    workers: int = 2,
    patience: float = PATIENCE,
    decoded: bool = True,
    keep_bytes: int = 256 * 2**20,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    draft: int = 0,
    progress: Callable[[int], None] | None = None,
) -> ImageTable:
    """Return the table of all images, read by `workers` processes, in the order of `samples`.

    Where they finish no image for `patience` seconds, one hangs, and it is said. Up to `keep_bytes` of encoded images
    stay in memory, so that a set that draws its images draws them once. `progress` gets the number read so far. Raises
    DataError that lists the unusable images: any of them under policy "error", more than `max_fraction` of all under
    "quarantine".
    """
    reading = Reading(dataset, decoded, keep_bytes > 0, max_pixels, max_bytes, draft)
    table = ImageTable(dataset, samples, [], [], reading)
    room = keep_bytes
    for index, (key, reason, data) in enumerate(_rows(reading, samples, workers, patience)):
        table.keys.append(key)
        if key is None:
            table.quarantined.append((samples[index].id, reason))
        elif len(data) <= room and data:
            table.kept[index] = data
            room -= len(data)
        if progress is not None:
            progress(index + 1)
    _judge(table, policy, max_fraction)
    return table


def _rows(reading: Reading, samples: Sequence[Sample], workers: int, patience: float) -> Iterator[Row]:
    remedy = "give images.patience more seconds; images.workers=1 waits as long as it takes"
    return chunked_map(reading, samples, workers=workers, carries=reading.dataset, patience=patience, remedy=remedy)


def _judge(table: ImageTable, policy: Policy, max_fraction: float) -> None:
    if not table.quarantined:
        return
    files = {sample.id: sample.image for sample in table.samples}
    lines = [f"sample {name}: {reason} ({files[name]})" for name, reason in table.quarantined]
    total = len(table.samples)
    if policy == "error":
        raise DataError(listing(f"images: {len(lines)} of {total} cannot be used (or set them aside by policy)", lines))
    if len(lines) > max_fraction * total:
        share = f"{len(lines)} of {total} cannot be used, more than the {max_fraction:.1%} that may be set aside"
        raise DataError(listing(f"images: {share}", lines))
