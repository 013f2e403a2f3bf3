"""One deliberately wrong calibrator for each check of the contract kit."""

from __future__ import annotations

import itertools

import numpy as np

import skinframe

SPAN = np.geomspace(0.1, 10, 41)
COUNTER = itertools.count()


def softmax(logits):
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def nll(logits, labels):
    own = np.take_along_axis(softmax(logits), labels[:, None], axis=1)
    return -np.log(own.clip(min=1e-300)).mean()


class Right(skinframe.Calibrator):
    """The best temperature of a grid that holds 1; passes every check."""

    name = "right"

    def fit(self, logits, labels):
        return {"temperature": float(min(SPAN, key=lambda t: nll(logits / t, labels)))}

    def apply(self, logits, parameters):
        return softmax(logits / parameters["temperature"])


class Unnormalised(Right):
    def apply(self, logits, parameters):
        return super().apply(logits, parameters) * 0.999


class Naive(Right):
    """A softmax that overflows."""

    def apply(self, logits, parameters):
        with np.errstate(over="ignore", invalid="ignore"):
            odds = np.exp(logits / parameters["temperature"])
            return odds / odds.sum(axis=1, keepdims=True)


class ScalesBySpread(Right):
    """Divides by the labels' spread, which is 0 for a single class."""

    def fit(self, logits, labels):
        found = super().fit(logits, labels)
        with np.errstate(divide="ignore", invalid="ignore"):
            return {"temperature": found["temperature"] * float(np.std(labels) / np.float64(np.std(labels)))}


class KeepsTuple(Right):
    def fit(self, logits, labels):
        return {"temperature": (super().fit(logits, labels)["temperature"],)}

    def apply(self, logits, parameters):
        return super().apply(logits, {"temperature": parameters["temperature"][0]})


class Restless(Right):
    def fit(self, logits, labels):
        return {**super().fit(logits, labels), "run": next(COUNTER)}


class TrustsTheFirst(Right):
    """Fits on the first half of the samples, unless that is worse than no calibration at all."""

    def fit(self, logits, labels):
        half = max(1, len(labels) // 2)
        found = super().fit(logits[:half], labels[:half])
        better = nll(logits / found["temperature"], labels) <= nll(logits, labels)
        return found if better else {"temperature": 1.0}


class Centred(Right):
    """Centres each class over the batch that is mapped."""

    def apply(self, logits, parameters):
        found = super().apply(logits, parameters)
        return softmax(np.log(found.clip(min=1e-12)) - 1e-3 * logits.mean(axis=0).clip(-5, 5))

    def fit(self, logits, labels):
        return {"temperature": 1.0, "plain": nll(logits, labels)}


class Meddler(Right):
    def apply(self, logits, parameters):
        found = super().apply(logits, parameters)
        parameters["used"] = parameters.get("used", 0) + 1
        return found


class Flattens(Right):
    def fit(self, logits, labels):
        return {"temperature": 50.0}


RIGHT = [Right()]
WRONG = {
    "rows": Unnormalised(),
    "extreme": Naive(),
    "scarce": ScalesBySpread(),
    "plain_json": KeepsTuple(),
    "deterministic": Restless(),
    "sample_order": TrustsTheFirst(),
    "alone": Centred(),
    "pure": Meddler(),
    "no_worse": Flattens(),
}
ALSO = {
    "rows": {"extreme", "scarce"},  # each of these looks at the rows too
    "alone": {"sample_order", "no_worse"},
}
