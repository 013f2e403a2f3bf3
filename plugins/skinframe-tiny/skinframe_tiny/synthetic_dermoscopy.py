"""The data set that the embedded default runs on: a world drawn from a known law, drawn as dermoscopy."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import skinframe
from skinframe_tiny import likelihoods, patients, rendering

GENERATOR = "1"  # raise it when any image, label or metadata value of an old seed would change


class SyntheticDermoscopy(skinframe.Dataset):
    """Synthetic dermoscopy with a known law: eight ISIC 2019 classes, checklist attributes, masks and Bayes' posterior.

    Patients have lesions, lesions have photographs (repeats show the same lesion in another pose and light). No file
    is read: sample i is a function of (seed, i) alone, and a larger set begins with the smaller one.
    """

    name = "synthetic_dermoscopy"
    level = "patient"
    synthetic = True

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """How many images, their side in pixels, and the seed of the world."""

        images: int = 2000
        size: int = 128
        seed: int = 0

        def __post_init__(self) -> None:
            if self.images < 1:
                raise ValueError(f"images must be at least 1, got {self.images}")
            if not 128 <= self.size <= 1024:
                raise ValueError(f"size must be in [128, 1024], got {self.size}")

    @property
    def classes(self) -> tuple[str, ...]:
        return likelihoods.CLASSES

    @property
    def attributes(self) -> tuple[str, ...]:
        return likelihoods.ATTRIBUTES

    @property
    def fields(self) -> tuple[skinframe.Field, ...]:
        return (
            skinframe.Field(name="age", low=0, high=120, unit="years"),
            skinframe.Field(name="sex", values=likelihoods.SEXES),
            skinframe.Field(name="site", values=likelihoods.SITES),
        )

    @cached_property
    def _world(self) -> dict[str, patients.Photograph]:
        return {shown.sample.id: shown for shown in patients.photographs(self.config.seed, self.config.images)}

    def samples(self) -> Sequence[skinframe.Sample]:
        return [shown.sample for shown in self._world.values()]

    def image_bytes(self, sample: skinframe.Sample) -> bytes:
        """Return the photograph as PNG. Raises DataError where the sample is not of this world."""
        buffer = io.BytesIO()
        Image.fromarray(rendering.picture(self._shown(sample), self.config.size)).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()

    def masks(self, sample: skinframe.Sample) -> Mapping[str, NDArray[np.bool_]]:
        """Return 'lesion' and one mask a present attribute, each [S, S]. Raises DataError."""
        return rendering.masks(self._shown(sample), self.config.size)

    def posterior(self, sample: skinframe.Sample) -> NDArray[np.float64]:
        """Return the exact p(class | image content, metadata) [C]; see `likelihoods`. Raises DataError."""
        return likelihoods.posterior(self._shown(sample).findings, sample.metadata)

    def digest(self) -> str:
        stated = json.dumps({"generator": GENERATOR, **asdict(self.config)}, sort_keys=True)
        return hashlib.sha256(stated.encode()).hexdigest()

    def _shown(self, sample: skinframe.Sample) -> patients.Photograph:
        if sample.id not in self._world:
            raise skinframe.DataError(
                f"synthetic_dermoscopy: no sample '{sample.id}' among {self.config.images} images of seed"
                f" {self.config.seed}; take samples from samples() of the same options"
            )
        return self._world[sample.id]
