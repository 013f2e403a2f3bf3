"""A calibration error that is centred on 0 where a model is calibrated."""

from __future__ import annotations

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.measures.binned import Bins, top
from skinframe.evaluation.measures.tied import equal_mass, over_levels
from skinframe.weighted import Floats, Ints, Weighted, ratio


def debiased_l2(labels: Ints, probabilities: Floats, bins: int) -> Weighted:
    """sum_b (n_b / n) (mean_b(r)^2 - s_b^2 / n_b), r = hit - confidence, s_b^2 its variance in bin b (n_b - 1).

    A bin of one sample has no variance and is left out. May be negative.
    """
    confidence, gap = top(labels, probabilities)

    def values(levels: Floats, sums: Floats) -> Floats:
        mass, first, second = np.moveaxis(equal_mass(sums, bins), 1, 0)
        known = mass > 1
        n = np.where(known, mass, 2.0)
        mean = first / n
        variance = (second - n * mean**2) / (n - 1)
        each = np.where(known, n * (mean**2 - variance / n), 0.0)
        return ratio(each.sum(axis=1), mass.sum(axis=1))

    return over_levels(confidence, [gap, gap**2], values)


class DebiasedL2(Metric):
    """Debiased squared L2 calibration error of the top class, equal-mass bins (Kumar et al. 2019, arXiv:1909.10155).

    Centred on 0 for a calibrated model at any n, so it may be negative, and is shown with its sign.
    """

    name = "calibration_l2_debiased"
    higher_is_better = False
    has_floor = True
    signed = True
    by_default = False
    Config = Bins

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return debiased_l2(labels, probabilities, self.config.bins)
