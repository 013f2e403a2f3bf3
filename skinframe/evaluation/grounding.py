"""Does the heat lie on the lesion? Lesions fill the centre, so the answer stands beside that of a centre blob."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinframe.data.columns import patch_cover
from skinframe.weighted_statistics import Floats


@dataclass(frozen=True)
class MaskLift:
    """Heat in the mask over area of the mask, for the map and for a blob at the centre; 1 is chance, NaN undefined."""

    share: float
    area: float
    lift: float
    centre_lift: float


def mask_lift(heat: Floats, mask: NDArray[np.bool_], grid: tuple[int, int] | None = None) -> MaskLift:
    """Return how much of the heat [P] >= 0 of a grid of patches, rows first, lies in a mask [height, width].

    The mask must be cropped as the encoder's image was. `grid` is (rows, columns), by default square. A patch that the
    mask covers in part counts in part: share = sum_p heat_p cover_p / sum_p heat_p, area = mean_p cover_p,
    lift = share / area. Raises ValueError where the heat does not fill the grid or is negative.
    """
    heat = np.asarray(heat, dtype=np.float64).ravel()
    side = math.isqrt(len(heat))
    rows, columns = grid or (side, side)
    if rows * columns != len(heat) or not len(heat):
        raise ValueError(f"{len(heat)} patches do not fill a grid of {rows} x {columns}")
    if not (heat >= 0).all():
        raise ValueError("heat must not be negative or NaN")
    cover = patch_cover(mask, rows, columns).ravel()
    area = float(cover.mean())
    share, centre = (_share(one, cover) for one in (heat, centre_blob(rows, columns).ravel()))
    return MaskLift(share, area, *((part / area if area > 0 else math.nan) for part in (share, centre)))


def centre_blob(rows: int, columns: int, width: float = 0.25) -> Floats:
    """Return a Gaussian at the centre with standard deviation `width` of the side: where a lesion usually is."""
    y, x = (((np.arange(size) + 0.5) / size - 0.5) / width for size in (rows, columns))
    blob: Floats = np.exp(-(np.square(y)[:, None] + np.square(x)[None, :]) / 2)
    return blob


def _share(heat: Floats, cover: Floats) -> float:
    total = float(heat.sum())
    return float(heat @ cover) / total if total > 0 else math.nan
