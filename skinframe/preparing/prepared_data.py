"""The prepared data of a run: samples, split, cached features, and access to images and masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, fromarray
from torch import Tensor

from skinframe.components import Encoder, Tower
from skinframe.data.group_split import Split
from skinframe.data.image_table import ImageTable
from skinframe.data.kfold import CalibrationFold, calibration_fold
from skinframe.features.dihedral_views import dihedral
from skinframe.features.image_sources import LiveFeatures
from skinframe.planning import Plan
from skinframe.planning.address import Address
from skinframe.sample import Sample
from skinframe.seeding import derive


@dataclass(kw_only=True)
class Prepared:
    """The data of a run. `features[instance]` are cached image signals, `texts[address]` one row per sample.

    Rows index `samples`, from which quarantined images are gone; `places` are their indices in the image table.
    """

    plan: Plan
    images: ImageTable
    places: Sequence[int]
    samples: Sequence[Sample]
    keys: Sequence[str]
    split: Split
    near: Sequence[tuple[int, int]]  # rows of near-duplicates, which are in one part
    searched: bool  # whether near-duplicates were looked for
    quarantined: Sequence[tuple[str, str]]
    device: str
    features: dict[str, Any] = field(default_factory=dict)
    live: dict[str, LiveFeatures] = field(default_factory=dict)  # of encoders that are not cached
    texts: dict[Address, Tensor] = field(default_factory=dict)
    class_texts: dict[str, Tensor] = field(default_factory=dict)
    towers: dict[str, Tower] = field(default_factory=dict)

    @cached_property
    def folds(self) -> CalibrationFold:
        """The validation part as selection and calibration fold, which share no patient."""
        recipe = self.plan.recipe
        return calibration_fold(
            self.samples,
            self.split.valid,
            share=recipe.evaluate.calibration,
            seed=derive(recipe.division_seed, "calibration fold"),
            keys=self.keys,
            near=self.near,
            level=self.plan.parts.dataset.level,
        )

    def image(self, row: int) -> Image:
        """Decode one image. Raises DataError where its bytes have changed since they were hashed."""
        return self.images.image(self.places[row])

    def seen(self, row: int) -> Image:
        """Return the image as the reasoner's encoder sees it: heat lies over this square."""
        return self._eyes().seen(self.image(row))

    def seen_mask(self, row: int, name: str) -> NDArray[np.bool_] | None:
        """Return a pixel mask cropped as the encoder crops the image; None where the data has none."""
        return self._mask(row, 0, self._eyes(), name)

    def turned_mask(self, row: int, view: int, encoder: str, name: str) -> NDArray[np.bool_] | None:
        """Return a pixel mask turned to a dihedral view, then cropped as that encoder crops the image."""
        return self._mask(row, view, self.plan.encoders[encoder], name)

    def _mask(self, row: int, view: int, encoder: Encoder, name: str) -> NDArray[np.bool_] | None:
        mask = self.plan.parts.dataset.masks(self.samples[row]).get(name)
        if mask is None:
            return None
        picture = fromarray(mask.astype(np.uint8) * 255).convert("RGB")
        return np.asarray(encoder.seen(dihedral(picture, view)))[..., 0] > 127

    def _eyes(self) -> Encoder:
        focus, known = self.plan.graph.roots.focus, self.plan.encoders
        return known[focus.instance] if focus is not None else next(iter(known.values()))

    def lesions(self, rows: Sequence[int]) -> list[str]:
        """Return the unit that has one diagnosis, however often it was photographed."""
        chosen = [self.samples[row] for row in rows]
        return [f"lesion:{s.lesion_key}" if s.lesion is not None else f"image:{s.id}" for s in chosen]

    def tower(self, name: str, encoder: Encoder) -> Tower:
        """Load a frozen encoder, once. An epoch after extraction never asks for it."""
        if name not in self.towers:
            self.towers[name] = encoder.load(self.device)
        return self.towers[name]

    @property
    def tower_calls(self) -> int:
        return sum(tower.calls for tower in self.towers.values())


def descriptions(prepared: Prepared) -> list[str]:
    """Return the clinical description of each sample; only training rows are ever read by a loss."""
    parts = prepared.plan.parts
    return [parts.prompt.description(s, parts.dataset.classes, parts.dataset.attributes) for s in prepared.samples]
