"""Smooth ECE: calibration error without bins, by a kernel whose width is the error itself."""

from __future__ import annotations

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.calibration_error import top
from skinframe.weighted_statistics import Floats, Ints, Sums, Weighted

CELLS = 1024  # of the grid on [0, 1]; residuals are shared linearly between two cells
HALVINGS, STEPS = 20, 22  # of the search for the fixed point


def smooth_ece(labels: Ints, probabilities: Floats) -> Weighted:
    """The fixed point sigma of smECE_sigma = int_0^1 |sum_i w_i r_i K_sigma(t, c_i)| dt / sum_i w_i.

    r = hit - confidence c, and K the Gaussian reflected at 0 and 1, which is diagonal in cosines:
    its k-th eigenvalue is exp(-(pi k sigma)^2 / 2). smECE_sigma falls with sigma, so halving finds the fixed point.
    """
    from scipy import sparse

    confidence, gap = top(labels, probabilities)
    position = np.clip(confidence * CELLS - 0.5, 0.0, CELLS - 1.0)
    low = np.minimum(position.astype(np.int64), CELLS - 2)
    share = position - low
    values = np.stack([gap * (1 - share), gap * share, np.ones(len(gap))], axis=1).ravel()
    where = np.stack([low, low + 1, np.full(len(gap), CELLS)], axis=1).ravel()
    starts = np.arange(0, len(values) + 1, 3)
    return Sums(sparse.csr_array((values, where, starts), shape=(len(gap), CELLS + 1)), _fixed_point)


def smoothed(cosines: Floats, sigma: Floats) -> Floats:
    """Return smECE_sigma [R] of residuals given by their cosine transform [R, CELLS], for widths sigma [R]."""
    from scipy import fft

    damping = np.exp(-np.square(np.pi * sigma[:, None] * np.arange(CELLS)) / 2)
    return np.asarray(np.abs(fft.idct(cosines * damping, axis=1)).sum(axis=1), dtype=np.float64)


def _fixed_point(sums: Floats) -> Floats:
    from scipy import fft

    mass = sums[:, CELLS]
    cosines = fft.dct(sums[:, :CELLS] / np.where(mass > 0, mass, 1.0)[:, None], axis=1)
    low, high = np.zeros(len(sums)), np.ones(len(sums))
    below, above = smoothed(cosines, low), smoothed(cosines, high) - 1  # smECE_sigma - sigma, falling
    middle = low
    for step in range(STEPS):
        middle = (low + high) / 2
        if step >= HALVINGS:  # the curve is smooth by now: the secant is near the root
            middle = np.clip(low - below * (high - low) / np.minimum(above - below, -1e-300), low, high)
        here = smoothed(cosines, middle) - middle
        larger = here > 0
        above, below = np.where(larger, above, here), np.where(larger, here, below)
        low, high = np.where(larger, middle, low), np.where(larger, high, middle)
    return np.where(mass > 0, middle, np.nan)


class SmoothECE(Metric):
    """Smooth ECE of the top class (Blasiok and Nakkiran 2023, arXiv:2309.12236): no bins to choose, still biased up."""

    name = "smooth_ece"
    span = (0.0, 1.0)
    higher_is_better = False
    has_floor = True
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return smooth_ece(labels, probabilities)
