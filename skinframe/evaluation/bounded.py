"""The interval of a statistic that cannot leave a span: by the jackknife, on the logit of its share of the span.

The ISIC 2024 score is the area that few positives decide. It is skewed towards 0 and biased upwards, and BCa, which
reads both off the resamples, still put its low end above the truth too often. On the logit scale the law is nearly
symmetric, and the jackknife's bias needs no resample.
"""

from __future__ import annotations

import math

import numpy as np

from skinframe.evaluation.bca import degrees_of_freedom, jackknife_variance
from skinframe.evaluation.bootstrap import Replicates

OF_A_SPAN = "jackknife interval on the logit scale"
END = 1e-9  # a share this near an end of the span has no logit that means anything


def logit_bounds(found: Replicates, span: tuple[float, float], level: float) -> tuple[float, float] | None:
    """Return the ends; None where the estimate, or one with a block left out, is undefined or at an end of the span.

    With z the logit of (s - low) / (high - low) and z_b that without block b of B: the centre is B z - (B - 1) mean z_b
    (Quenouille 1956, doi 10.1093/biomet/43.3-4.353), the variance that of the jackknife (Tukey 1958), and the quantile
    t's with the degrees of freedom of the influences mean z_b - z_b, as for BCa.
    """
    from scipy import special

    low, high = span
    share = (np.append(found.left_out, found.estimate) - low) / (high - low)
    if len(share) < 3 or not np.all((share > END) & (share < 1 - END)):  # NaN fails both
        return None
    *_, z = logits = special.logit(share)
    left = logits[:-1]
    centre = z - (len(left) - 1) * (left.mean() - z)
    quantile = special.stdtrit(degrees_of_freedom(left.mean() - left), (1 + level) / 2)
    half = quantile * math.sqrt(jackknife_variance(left))
    ends = special.expit([centre - half, centre + half])
    return float(low + (high - low) * ends[0]), float(low + (high - low) * ends[1])
