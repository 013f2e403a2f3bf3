"""Agreement of the named class with the true one beyond chance."""

from __future__ import annotations

import numpy as np

from skinframe.components import Metric
from skinframe.weighted import Floats, Ints, Weighted, coded


def mcc(labels: Ints, probabilities: Floats) -> Weighted:
    """Matthews correlation of K classes (Gorodkin 2004): (c s - t.p) / sqrt((s^2 - p.p) (s^2 - t.t)).

    s samples, c right, t and p the samples a class by truth and by name; NaN where all are of one class or name.
    """
    classes = probabilities.shape[1]

    def values(sums: Floats) -> Floats:
        table = sums.reshape(len(sums), classes, classes)
        truth, named = table.sum(axis=2), table.sum(axis=1)
        total, right = table.sum(axis=(1, 2)), np.trace(table, axis1=1, axis2=2)
        spread = (total**2 - (named**2).sum(axis=1)) * (total**2 - (truth**2).sum(axis=1))
        agreed = right * total - (truth * named).sum(axis=1)
        return np.where(spread > 0, agreed / np.sqrt(np.where(spread > 0, spread, 1.0)), np.nan)

    return coded(labels * classes + probabilities.argmax(axis=1), classes * classes, values)


class MCC(Metric):
    """Matthews correlation coefficient, from -1 to 1; 0 is chance."""

    name = "mcc"
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return mcc(labels, probabilities)

    def reason(self, labels: Ints, probabilities: Floats) -> str:
        return "all samples are of one class, or all are named alike"
