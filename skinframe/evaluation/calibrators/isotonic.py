"""A rising step function a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skinframe.components import Calibrator
from skinframe.evaluation.calibrate import softmax
from skinframe.evaluation.calibrators.fit import checked, remarks
from skinframe.weighted import Floats, Ints

ENOUGH = 1000  # positives a class below which steps follow noise


class Isotonic(Calibrator):
    """The best rising map of each class's probability, one against the rest, rows normalised (Zadrozny and Elkan 2002).

    Steps end 1 / (n + 2) away from 0 and 1: no finite sample shows that something never happens. Flat steps tie what
    the model had ranked, so AUROC may fall. Wants about 1,000 samples of each class.
    """

    name = "isotonic"

    def fit(self, logits: Floats, labels: Ints) -> dict[str, Any]:
        from sklearn.isotonic import IsotonicRegression

        z, labels = checked(logits, labels, "steps")
        p, least = np.exp(z), 1 / (len(labels) + 2)
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
