from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import skinframe

Floats = NDArray[np.float64]


def softmax(logits: Floats) -> Floats:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), dtype=np.float64)


def nll(probabilities: Floats, labels: NDArray[np.int64]) -> float:
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)
    return float(-np.log(own.clip(min=1e-12)).mean())


class MyName(skinframe.Calibrator):
    """Mixes the softmax with the uniform distribution: p = (1 − a) softmax(z) + a / C, with a of least NLL."""

    name = "my_name"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        steps: int = 50  # shares that are tried, from 0 to a half

        def __post_init__(self) -> None:
            if self.steps < 1:
                raise ValueError(f"steps must be at least 1, got {self.steps}")

    def fit(self, logits: Floats, labels: NDArray[np.int64]) -> dict[str, Any]:
        shares = np.linspace(0, 0.5, self.config.steps + 1).tolist()
        return {"share": min(shares, key=lambda share: nll(self.apply(logits, {"share": share}), labels))}

    def apply(self, logits: Floats, parameters: Mapping[str, Any]) -> Floats:
        share = float(parameters["share"])
        mixed: Floats = (1 - share) * softmax(logits) + share / logits.shape[1]
        return mixed


@skinframe.hookimpl
def register_calibrators() -> list[type[skinframe.Calibrator]]:
    return [MyName]
