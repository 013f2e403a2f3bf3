"""Images that bypass the cache: pixels for an encoder in training, and features computed on the fly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from skinframe.components import Encoder, Tower
from skinframe.features.dihedral_views import dihedral
from skinframe.lazy import torch
from skinframe.seeding import derive

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

Load = Callable[[int], "Image"]


class PixelSource:
    """Pixels [B, 3, H, W] for the module of a trained encoder: decoded, turned to a view, augmented, normalised.

    What a sample shows depends on (seed, epoch, sample id) only, not on its batch or on the order of samples.
    """

    def __init__(self, encoder: Encoder, ids: Sequence[str], load: Load, seed: int) -> None:
        self._encoder, self._ids, self._load, self._seed = encoder, ids, load, seed

    def get(self, rows: Sequence[int], views: Sequence[int], epoch: int | None) -> Tensor:
        """Return the pixels of some samples, float32 on the CPU; `epoch` None is evaluation, without augmentation."""
        return torch.stack([self._pixels(row, view, epoch) for row, view in zip(rows, views, strict=True)])

    def _pixels(self, row: int, view: int, epoch: int | None) -> Tensor:
        image = dihedral(self._load(row), view)
        if epoch is not None:
            image = self._encoder.augment(image, derive(self._seed, epoch, self._ids[row], "augment"))
        return self._encoder.pixels(image)


class LiveFeatures:
    """Features of a frozen encoder, computed at every read and never cached: for images that change between reads."""

    def __init__(self, tower: Callable[[], Tower], load: Load) -> None:
        self._tower, self._load = tower, load

    def get(self, rows: Sequence[int], views: Sequence[int], signals: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Return the named signals [B, ...], float32 on the CPU; all of them if none is named.

        Values are rounded to float16 as the cache stores them, so that a live encoder equals a cached one.
        """
        images = [dihedral(self._load(row), view) for row, view in zip(rows, views, strict=True)]
        values = self._tower().images(images)
        names = values if signals is None else signals
        return {name: values[name].half().float() for name in names}
