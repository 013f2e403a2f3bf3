"""One deliberately wrong metric for each check of the contract kit."""

from __future__ import annotations

import numpy as np

import skinframe


class Right(skinframe.Metric):
    """Accuracy; passes every check that applies to it."""

    name = "right"

    def value(self, labels, probabilities, weights):
        hit = (probabilities.argmax(axis=1) == labels).astype(float)
        total = weights.sum()
        return float(weights @ hit / total) if total else float("nan")


class RightFloor(skinframe.Metric):
    """Calibration error of the top label in one bin, lower is better, with a floor and a function of weights."""

    name = "right_floor"
    higher_is_better = False
    has_floor = True

    def over(self, labels, probabilities):
        gap = (probabilities.argmax(axis=1) == labels) - probabilities.max(axis=1)

        def values(rows):
            totals = rows.sum(axis=1)
            return np.abs(np.divide(rows @ gap, totals, out=np.full(len(rows), np.nan), where=totals > 0))

        return values

    def value(self, labels, probabilities, weights):
        return float(self.over(labels, probabilities)(weights[None, :])[0])


class Infinite(Right):
    def value(self, labels, probabilities, weights):
        return float("inf") if weights.any() else float("nan")


class Noisy(Right):
    def value(self, labels, probabilities, weights):
        return super().value(labels, probabilities, weights) + 1e-13 * np.random.default_rng().random()


class Meddler(Right):
    def value(self, labels, probabilities, weights):
        found = super().value(labels, probabilities, weights)
        weights /= max(weights.sum(), 2.0)
        return found


class FirstCountsTwice(Right):
    def value(self, labels, probabilities, weights):
        weights = np.concatenate([2 * weights[:1], weights[1:]])
        return super().value(labels, probabilities, weights)


class FirstClassOnly(Right):
    def value(self, labels, probabilities, weights):
        return super().value(labels == 0, np.stack([1 - probabilities[:, 0], probabilities[:, 0]], axis=1), weights)


class IgnoresWeights(Right):
    def value(self, labels, probabilities, weights):
        return super().value(labels, probabilities, (weights > 0).astype(float))


class ZeroWhenUndefined(Right):
    def value(self, labels, probabilities, weights):
        return super().value(labels, probabilities, weights) if weights.sum() else 0.0


class WrongWayUp(Right):
    higher_is_better = False


class FloorOfAccuracy(Right):
    has_floor = True


class OverForgetsWeights(RightFloor):
    def over(self, labels, probabilities):
        return lambda rows: super(OverForgetsWeights, self).over(labels, probabilities)(np.ones_like(rows))

    def value(self, labels, probabilities, weights):
        return float(super().over(labels, probabilities)(weights[None, :])[0])


RIGHT = [Right(), RightFloor()]
WRONG = {
    "number": Infinite(),
    "deterministic": Noisy(),
    "pure": Meddler(),
    "sample_order": FirstCountsTwice(),
    "class_order": FirstClassOnly(),
    "weights": IgnoresWeights(),
    "undefined": ZeroWhenUndefined(),
    "direction": WrongWayUp(),
    "floor": FloorOfAccuracy(),
    "resampled": OverForgetsWeights(),
}
# what a component cannot be wrong in without being wrong elsewhere too
ALSO = {
    "number": {"direction"},  # where the values are infinite, none is above another
    "sample_order": {"weights"},  # a sample that counts twice does not count as its weight says
}
