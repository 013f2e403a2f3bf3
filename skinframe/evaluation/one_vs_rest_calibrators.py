"""Calibrators that map each class against the rest: isotonic regression and beta calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skinframe.components import Calibrator
from skinframe.evaluation.calibrators import SINGLE_CLASS, Ridge, log_probabilities, minimise, remarks, single_class
from skinframe.evaluation.softmax import log_softmax, softmax
from skinframe.weighted_statistics import Floats, Ints

ENOUGH = 1000  # positives a class below which steps follow noise


class Isotonic(Calibrator):
    """The best rising map of each class's probability, one against the rest, rows normalised (Zadrozny and Elkan 2002).

    Steps end 1 / (n + 2) away from 0 and 1: no finite sample shows that something never happens. Flat steps tie what
    the model had ranked, so AUROC may fall. Wants about 1,000 samples of each class.
    """

    name = "isotonic"

    def fit(self, logits: Floats, labels: Ints) -> dict[str, Any]:
        from sklearn.isotonic import IsotonicRegression

        z, labels = log_probabilities(logits, labels, "steps")
        p, least = np.exp(z), 1 / (len(labels) + 2)
        if single_class(labels):
            same = [{"x": [0.0, 1.0], "y": [0.0, 1.0]} for _ in range(p.shape[1])]
            return {"steps": same, "n": len(labels), "warnings": [SINGLE_CLASS]}
        steps = []
        for c in range(p.shape[1]):
            model = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
            model.fit(p[:, c], (labels == c).astype(np.float64))
            steps.append({"x": model.X_thresholds_.tolist(), "y": model.y_thresholds_.tolist()})
        found: dict[str, Any] = {"steps": steps, "n": len(labels)}
        fewest = int(np.bincount(labels, minlength=p.shape[1]).min())
        rare = f"isotonic calibration wants about {ENOUGH:,} samples of each class; the rarest has {fewest:,}"
        return found | {"warnings": [*([rare] if fewest < ENOUGH else []), *remarks(z, self.apply(z, found), True)]}

    def apply(self, logits: Floats, parameters: Mapping[str, Any]) -> Floats:
        p = softmax(np.asarray(logits, dtype=np.float64))
        raw = np.stack([np.interp(p[:, c], step["x"], step["y"]) for c, step in enumerate(parameters["steps"])], axis=1)
        return np.asarray(raw / raw.sum(axis=1, keepdims=True), dtype=np.float64)


LOWEST = -700.0  # log of the smallest probability that is told from 0


class Beta(Calibrator):
    """logit q = a log p - b log(1 - p) + c, a and b >= 0 (Kull et al. 2017, doi 10.1214/17-EJS1338SI).

    For two classes q is the second's; for more, one against the rest and rows normalised. Minimises sum NLL + ridge
    ((a - 1)^2 + (b - 1)^2 + c^2), so that it is no worse than no calibration where it is fitted.
    """

    name = "beta"
    Config = Ridge

    def fit(self, logits: Floats, labels: Ints) -> dict[str, Any]:
        z, labels = log_probabilities(logits, labels, "a, b and c")
        places = [1] if z.shape[1] == 2 else range(z.shape[1])
        if single_class(labels):
            return {"abc": [[1.0, 1.0, 0.0] for _ in places], "n": len(labels), "warnings": [SINGLE_CLASS]}
        fits = [self._one(z, labels, place) for place in places]
        found: dict[str, Any] = {"abc": [theta.tolist() for theta, _ in fits], "n": len(labels)}
        return found | {"warnings": remarks(z, self.apply(z, found), all(settled for _, settled in fits))}

    def apply(self, logits: Floats, parameters: Mapping[str, Any]) -> Floats:
        z = log_softmax(np.asarray(logits, dtype=np.float64))
        places = [1] if z.shape[1] == 2 else range(z.shape[1])
        odds = [_features(z, place) @ np.asarray(theta) for place, theta in zip(places, parameters["abc"], strict=True)]
        q = np.stack([_expit(one) for one in odds], axis=1)
        if z.shape[1] == 2:
            return np.hstack([_expit(-odds[0])[:, None], q])
        q = np.maximum(q, np.exp(LOWEST))
        return np.asarray(q / q.sum(axis=1, keepdims=True), dtype=np.float64)

    def _one(self, z: Floats, labels: Ints, place: int) -> tuple[Floats, bool]:
        x, hit = _features(z, place), (labels == place).astype(np.float64)
        identity, ridge = np.array([1.0, 1.0, 0.0]), self.config.ridge / len(labels)

        def cost(theta: Floats) -> tuple[float, Floats]:
            odds, away = x @ theta, theta - identity
            nll = float((np.logaddexp(0.0, odds) - hit * odds).mean())
            return nll + ridge * float(away @ away), x.T @ (_expit(odds) - hit) / len(hit) + 2 * ridge * away

        return minimise(cost, identity, [(0.0, None), (0.0, None), (None, None)])


def _features(z: Floats, place: int) -> Floats:
    """Return log p, -log(1 - p) and 1 of a class [N, 3]; 1 - p is the sum of the others, which keeps its digits."""
    rest = np.logaddexp.reduce(np.delete(z, place, axis=1), axis=1)
    return np.stack([np.maximum(z[:, place], LOWEST), -np.maximum(rest, LOWEST), np.ones(len(z))], axis=1)


def _expit(odds: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(odds), dtype=np.float64)
