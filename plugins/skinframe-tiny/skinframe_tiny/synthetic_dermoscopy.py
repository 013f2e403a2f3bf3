"""The data set of the embedded default: synthetic dermoscopy with known class probabilities."""

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

GENERATOR = "1"  # increase it when an image, label or metadata value of an existing seed changes


TITLES = dict(
    zip(
        likelihoods.CLASSES,
        (
            "melanoma",
            "melanocytic nevus",
            "basal cell carcinoma",
            "actinic keratosis",
            "benign keratosis",
            "dermatofibroma",
            "vascular lesion",
            "squamous cell carcinoma",
        ),
        strict=True,
    )
)
MALIGNANT = ("MEL", "BCC", "SCC")


class SyntheticDermoscopy(skinframe.Dataset):
    """Synthetic dermoscopy: eight ISIC 2019 classes, checklist attributes, masks and the exact posterior.

    Patients have lesions, lesions have photographs (repeats show the same lesion in another pose and light). No file
    is read: sample i depends on (seed, i) alone, and a larger set begins with the smaller one.
    """

    name = "synthetic_dermoscopy"
    level = "patient"
    synthetic = True

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """How many images, their side in pixels, and the seed."""

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
    def class_titles(self) -> Mapping[str, str]:
        return TITLES

    @property
    def malignant(self) -> tuple[str, ...]:
        return MALIGNANT

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
    def _photographs(self) -> dict[str, patients.Photograph]:
        return {shown.sample.id: shown for shown in patients.photographs(self.config.seed, self.config.images)}

    def samples(self) -> Sequence[skinframe.Sample]:
        return [shown.sample for shown in self._photographs.values()]

    def image_bytes(self, sample: skinframe.Sample) -> bytes:
        """Return the photograph as PNG. Raises DataError for a sample of another set."""
        buffer = io.BytesIO()
        pixels = rendering.picture(self._photograph(sample), self.config.size)
        Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()

    def masks(self, sample: skinframe.Sample) -> Mapping[str, NDArray[np.bool_]]:
        """Return 'lesion' and one mask per present attribute, each [S, S]. Raises DataError."""
        return rendering.masks(self._photograph(sample), self.config.size)

    def posterior(self, sample: skinframe.Sample) -> NDArray[np.float64]:
        """Return the exact p(class | image content, metadata) [C]; see `likelihoods`. Raises DataError."""
        return likelihoods.posterior(self._photograph(sample).findings, sample.metadata)

    def digest(self) -> str:
        stated = json.dumps({"generator": GENERATOR, **asdict(self.config)}, sort_keys=True)
        return hashlib.sha256(stated.encode()).hexdigest()

    def _photograph(self, sample: skinframe.Sample) -> patients.Photograph:
        if sample.id not in self._photographs:
            raise skinframe.DataError(
                f"synthetic_dermoscopy: no sample '{sample.id}' among {self.config.images} images of seed"
                f" {self.config.seed}; take samples from samples() of the same options"
            )
        return self._photographs[sample.id]
