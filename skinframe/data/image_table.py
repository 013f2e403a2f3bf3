"""One pass over all images of a data set: content keys, decodability, and the list of unusable images."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from PIL import Image

from skinframe.components import Dataset
from skinframe.data.images import MAX_BYTES, MAX_PIXELS, ImageProblem, decode
from skinframe.data.problem_list import SHOWN
from skinframe.data.worker_pool import PATIENCE, chunked_map
from skinframe.errors import DataError
from skinframe.sample import Sample

Policy = Literal["error", "quarantine"]
ReadImage = tuple[str | None, str, bytes]  # content key or None, reason, encoded bytes if they are kept


@dataclass(frozen=True)
class ImageReader:
    """Reads and hashes one image; `decoded` also decodes it to prove that it is complete, `keep` returns its bytes."""

    dataset: Dataset
    decoded: bool
    keep: bool
    max_pixels: int
    max_bytes: int
    draft: int

    def __call__(self, sample: Sample) -> ReadImage:
        try:
            data = self.dataset.image_bytes(sample)
            if self.decoded:
                self.decode(data)
        except ImageProblem as problem:
            return None, problem.reason, b""
        except (DataError, OSError) as error:  # the reason goes into reports, which contain no paths
            return None, " ".join(str(error).split()).replace(sample.image, "its file"), b""
        return hashlib.sha256(data).hexdigest(), "", data if self.keep else b""

    def image(self, sample: Sample, key: str, data: bytes | None = None) -> Image.Image:
        """Return the decoded image. Raises DataError if its bytes do not hash to `key` any more."""
        data = self.dataset.image_bytes(sample) if data is None else data
        if hashlib.sha256(data).hexdigest() != key:
            raise DataError(f"sample {sample.id}: its image changed during the run; restart the run")
        return self.decode(data)

    def decode(self, data: bytes) -> Image.Image:
        return decode(data, max_pixels=self.max_pixels, max_bytes=self.max_bytes, draft=self.draft)


@dataclass(frozen=True)
class ImageTable:
    """`keys[i]` is the SHA-256 of image i's encoded bytes, or None if it is in `quarantined` as (id, reason)."""

    dataset: Dataset
    samples: Sequence[Sample]
    keys: list[str | None]
    quarantined: list[tuple[str, str]]
    reader: ImageReader
    kept: dict[int, bytes] = field(default_factory=dict, repr=False)

    def image(self, index: int) -> Image.Image:
        """Return the decoded image. Raises DataError if it is quarantined or has changed since it was hashed."""
        sample, key = self.samples[index], self.keys[index]
        if key is None:
            raise DataError(f"sample {sample.id}: its image is quarantined")
        return self.reader.image(sample, key, self.kept.get(index))


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

    Raises DataError if no worker finishes an image for `patience` seconds, and one that lists the unusable images: if
    there are any under policy "error", or more than `max_fraction` of all under "quarantine". Up to `keep_bytes` of
    encoded images stay in memory, so that a synthetic data set renders its images once. `progress` receives the number
    of images read so far.
    """
    reader = ImageReader(dataset, decoded, keep_bytes > 0, max_pixels, max_bytes, draft)
    table = ImageTable(dataset, samples, [], [], reader)
    room = keep_bytes
    for index, (key, reason, data) in enumerate(_rows(reader, samples, workers, patience)):
        table.keys.append(key)
        if key is None:
            table.quarantined.append((samples[index].id, reason))
        elif len(data) <= room and data:
            table.kept[index] = data
            room -= len(data)
        if progress is not None:
            progress(index + 1)
    refuse_unusable(table.quarantined, samples, policy, max_fraction)
    return table


def _rows(reader: ImageReader, samples: Sequence[Sample], workers: int, patience: float) -> Iterator[ReadImage]:
    remedy = "raise images.patience (seconds), or set images.workers=1 to wait indefinitely"
    return chunked_map(reader, samples, workers=workers, carries=reader.dataset, patience=patience, remedy=remedy)


def refuse_unusable(
    unusable: Sequence[tuple[str, str]], samples: Sequence[Sample], policy: Policy, max_fraction: float
) -> None:
    """Raise DataError where more images cannot be used than the recipe allows: one line for each cause, with its count.

    `unusable` are pairs of id and reason. The one rule of `run`, of external tests and of the data verbs.
    """
    count, total = len(unusable), len(samples)
    if not count or (policy == "quarantine" and count <= max_fraction * total and count < total):
        return
    files = {sample.id: sample.image for sample in samples}
    causes: dict[str, list[str]] = {}
    for name, reason in unusable:
        causes.setdefault(re.sub(r"\d+", "N", reason), []).append(name)
    reasons = dict(unusable)
    lines = [
        f"sample {names[0]}: {reasons[names[0]]} ({files[names[0]]})"
        + (f", and {len(names) - 1:,} more like it: {', '.join(names[1:5])}" if len(names) > 1 else "")
        for names in sorted(causes.values(), key=len, reverse=True)
    ]
    if count == total:
        way = "none is left; check the data set's folder (data.config.root) and how it was unpacked"
    elif policy == "error":
        way = "fix them or set images.policy=quarantine"
    else:
        way = f"images.max_fraction allows {max_fraction:.1%}; fix them, or allow more with it"
    problems = "\n".join(f"  {line}" for line in lines[:SHOWN])
    more = f"\n  and {len(lines) - SHOWN} more causes" if len(lines) > SHOWN else ""
    raise DataError(f"images: {count:,} of {total:,} cannot be used; {way}\n{problems}{more}")
