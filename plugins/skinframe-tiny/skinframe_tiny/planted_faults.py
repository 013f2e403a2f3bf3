"""Synthetic dermoscopy with planted faults, which `skinframe selftest` must find."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import skinframe
from skinframe.seeding import derive
from skinframe_tiny import likelihoods
from skinframe_tiny.synthetic_dermoscopy import SyntheticDermoscopy

INK = (92, 40, 140)  # gentian violet, with which a surgeon marks a lesion
PARTS = ("train",) * 5 + ("valid",) * 2 + ("test",) * 3


class PlantedDermoscopy(skinframe.Dataset):
    """Synthetic dermoscopy with planted faults, after Winkler et al. 2019 (doi 10.1001/jamadermatol.2019.1735).

    `leak`: the body site reveals the class. `copies`: that many test photographs are also in training, rotated and
    re-encoded, under another patient. `marks`: ink beside the lesion in training, on melanomas only (`telling`) or on
    as many photographs at random; every test photograph is then present twice, `-plain` and `-marked`. The split is
    official.
    """

    name = "planted_dermoscopy"
    level = "patient"
    synthetic = True

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """Number of images and seed, and which faults are planted."""

        images: int = 240
        seed: int = 0
        leak: bool = False
        copies: int = 0
        marks: Literal["none", "random", "telling"] = "none"

        def __post_init__(self) -> None:
            self.clean()
            if self.copies < 0:
                raise ValueError(f"copies must be at least 0, got {self.copies}")
            if self.marks not in ("none", "random", "telling"):
                raise ValueError(f"marks must be none, random or telling, got {self.marks!r}")

        def clean(self) -> SyntheticDermoscopy.Config:
            """Return the options of the clean set that the faults are planted in. Raises ValueError."""
            return SyntheticDermoscopy.Config(images=self.images, seed=self.seed)

    @property
    def classes(self) -> tuple[str, ...]:
        return likelihoods.CLASSES

    @property
    def class_titles(self) -> Mapping[str, str]:
        return self._clean.class_titles

    @property
    def malignant(self) -> tuple[str, ...]:
        return self._clean.malignant

    @property
    def attributes(self) -> tuple[str, ...]:
        return likelihoods.ATTRIBUTES

    @cached_property
    def _clean(self) -> SyntheticDermoscopy:
        return SyntheticDermoscopy(self.config.clean())

    @property
    def fields(self) -> tuple[skinframe.Field, ...]:
        return self._clean.fields

    @cached_property
    def _rows(self) -> dict[str, tuple[skinframe.Sample, skinframe.Sample, bool]]:
        return {row[0].id: row for row in self._planted()}

    def samples(self) -> Sequence[skinframe.Sample]:
        return [sample for sample, _, _ in self._rows.values()]

    def image_bytes(self, sample: skinframe.Sample) -> bytes:
        """Return the photograph, with ink if it is marked; a copy is a rotated JPEG. Raises DataError."""
        if sample.id not in self._rows:
            raise skinframe.DataError(f"{self.name}: no sample '{sample.id}'; take samples from samples()")
        _, origin, marked = self._rows[sample.id]
        picture = Image.open(io.BytesIO(self._clean.image_bytes(origin)))
        buffer = io.BytesIO()
        if sample.id.startswith("copy-"):
            picture.transpose(Image.Transpose.ROTATE_90).save(buffer, "JPEG", quality=85)
        else:
            (inked(picture) if marked else picture).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()

    def posterior(self, sample: skinframe.Sample) -> NDArray[np.float64] | None:
        """Return None: with planted faults the posterior is unknown."""
        return None

    def digest(self) -> str:
        stated = json.dumps({"world": self._clean.digest(), **asdict(self.config)}, sort_keys=True)
        return hashlib.sha256(stated.encode()).hexdigest()

    def _planted(self) -> Iterator[tuple[skinframe.Sample, skinframe.Sample, bool]]:
        """Yield each sample, the clean sample that it shows, and whether it is marked."""
        config, tests = self.config, []
        for origin in self._clean.samples():
            part = PARTS[derive(config.seed, "part", origin.group) % len(PARTS)]
            known: Mapping[str, str | float | None] = origin.metadata
            if config.leak:
                known = {**known, "site": likelihoods.SITES[origin.label % len(likelihoods.SITES)]}
            sample = replace(origin, split=part, metadata=known)
            if part == "test" and config.marks != "none":
                yield replace(sample, id=f"{origin.id}-plain"), origin, False
                yield replace(sample, id=f"{origin.id}-marked"), origin, True
                continue
            tests += [origin] if part == "test" else []
            yield sample, origin, part != "test" and self._marked(origin)
        for number, origin in enumerate(tests[: config.copies]):
            away = f"copy-{number}"
            yield replace(origin, id=away, patient=away, lesion=away, split="train"), origin, False

    def _marked(self, sample: skinframe.Sample) -> bool:
        melanoma = likelihoods.CLASSES.index("MEL")
        if self.config.marks == "random":
            return derive(self.config.seed, "mark", sample.id) % 1000 < int(1000 * likelihoods.PRIOR[melanoma])
        return self.config.marks == "telling" and sample.label == melanoma


def inked(picture: Image.Image) -> Image.Image:
    """Return a photograph with strokes of surgical ink around the lesion."""
    marked, size = picture.convert("RGB"), picture.width
    draw, width = ImageDraw.Draw(marked), max(2, picture.width // 14)
    for left, top, right, bottom in ((0.06, 0.15, 0.06, 0.85), (0.94, 0.15, 0.94, 0.85), (0.15, 0.06, 0.85, 0.06)):
        draw.line([left * size, top * size, right * size, bottom * size], fill=INK, width=width)
    return marked
