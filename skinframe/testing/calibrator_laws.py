"""The laws of a calibrator. Each takes a calibrator and drawn validation predictions, and asserts."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from skinframe.components import Calibrator
from skinframe.errors import DataError
from skinframe.testing.law_and_check import Law, Suite

Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Validation:
    """Logits [N, C] and labels [N] in which every class occurs."""

    logits: Floats
    labels: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"logits = {self.logits.round(3).tolist()}\nlabels = {self.labels.tolist()}"


def validations() -> st.SearchStrategy[Validation]:
    """Draw 2 to 4 classes, 10 to 40 samples, and scores that are too flat, right or too sharp."""
    return st.builds(_validation, st.integers(2, 4), st.integers(10, 40), st.floats(0.2, 5), st.integers(0, 2**32 - 1))


def rows(calibrator: Calibrator, data: Validation) -> None:
    """Each row is a distribution over the classes: in [0, 1], with sum 1."""
    _distributions(calibrator.apply(data.logits, calibrator.fit(data.logits, data.labels)), data.logits.shape)


def extreme(calibrator: Calibrator, data: Validation) -> None:
    """Logits of ±1e4 are fitted and mapped without a NaN."""
    far = np.where(data.logits > 0, 1e4, -1e4)
    _distributions(calibrator.apply(far, calibrator.fit(data.logits, data.labels)), far.shape)
    _distributions(calibrator.apply(far, calibrator.fit(far, data.labels)), far.shape)


def scarce(calibrator: Calibrator, data: Validation) -> None:
    """One sample, or samples of one class only, are fitted or refused with a DataError; never NaN."""
    for count in (1, 5):
        logits, labels = data.logits[:count], np.zeros(count, dtype=np.int64)
        try:
            parameters = calibrator.fit(logits, labels)
        except DataError:
            continue
        _distributions(calibrator.apply(data.logits, parameters), data.logits.shape)


def plain_json(calibrator: Calibrator, data: Validation) -> None:
    """The fitted parameters are plain JSON, and mean the same after a round trip."""
    parameters = calibrator.fit(data.logits, data.labels)
    back = json.loads(json.dumps(parameters, allow_nan=False))
    assert back == parameters, f"{parameters} comes back as {back}"
    one, two = calibrator.apply(data.logits, parameters), calibrator.apply(data.logits, back)
    assert np.array_equal(one, two), "the parameters mean something else after a round trip"


def deterministic(calibrator: Calibrator, data: Validation) -> None:
    """Two fits give the same parameters, bit for bit."""
    first, two = (json.dumps(calibrator.fit(data.logits, data.labels)) for _ in range(2))
    assert first == two, f"first {first}, then {two}"


def sample_order(calibrator: Calibrator, data: Validation) -> None:
    """The fit does not depend on the order of the samples."""
    first = calibrator.apply(data.logits, calibrator.fit(data.logits, data.labels))
    two = calibrator.apply(data.logits, calibrator.fit(data.logits[::-1].copy(), data.labels[::-1].copy()))
    assert np.allclose(first, two, rtol=0, atol=1e-4), f"{np.abs(first - two).max()} apart, fitted in reverse order"


def alone(calibrator: Calibrator, data: Validation) -> None:
    """A sample's probabilities do not depend on the others that are mapped with it."""
    parameters = calibrator.fit(data.logits, data.labels)
    together = calibrator.apply(data.logits, parameters)
    single = calibrator.apply(data.logits[3:4], parameters)
    assert np.allclose(single[0], together[3], rtol=0, atol=1e-9), f"{single[0]} alone, {together[3]} in company"


def pure(calibrator: Calibrator, data: Validation) -> None:
    """Logits, labels and parameters are left as they were."""
    logits, labels = data.logits.copy(), data.labels.copy()
    parameters = calibrator.fit(logits, labels)
    before = json.dumps(parameters)
    calibrator.apply(logits, parameters)
    assert np.array_equal(logits, data.logits), "the logits were changed"
    assert np.array_equal(labels, data.labels), "the labels were changed"
    assert json.dumps(parameters) == before, "apply changed the parameters"


def no_worse(calibrator: Calibrator, data: Validation) -> None:
    """The fitted samples' negative log likelihood is no worse than that of the plain softmax."""
    fitted = _nll(calibrator.apply(data.logits, calibrator.fit(data.logits, data.labels)), data.labels)
    plain = _nll(_softmax(data.logits), data.labels)
    assert fitted <= plain + 1e-9, f"{fitted} on the samples that it was fitted on, {plain} without it"


LAWS = (rows, extreme, scarce, plain_json, deterministic, sample_order, alone, pure, no_worse)
CALIBRATOR = Suite("calibrator", tuple(map(Law, LAWS)), lambda calibrator, law: validations(), examples=8)


def _validation(classes: int, count: int, sharpness: float, seed: int) -> Validation:
    random = np.random.default_rng(seed)
    logits = random.normal(size=(count, classes)) * 1.5
    labels = (random.random((count, 1)) > _softmax(logits).cumsum(axis=1)[:, :-1]).sum(axis=1)
    labels[:classes] = np.arange(classes)
    return Validation(logits * sharpness, labels)


def _softmax(logits: Floats) -> Floats:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), dtype=np.float64)


def _nll(probabilities: Floats, labels: NDArray[np.int64]) -> float:
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)
    return float(-np.log(own.clip(min=1e-300)).mean())


def _distributions(probabilities: Floats, shape: tuple[int, ...]) -> None:
    assert probabilities.shape == shape, f"shape {probabilities.shape}, not {shape}"
    assert np.isfinite(probabilities).all(), f"not finite: {probabilities[~np.isfinite(probabilities).all(axis=1)][:1]}"
    assert ((probabilities >= 0) & (probabilities <= 1 + 1e-12)).all(), (
        f"outside [0, 1]: from {probabilities.min()} to {probabilities.max()}"
    )
    assert np.allclose(probabilities.sum(axis=1), 1, rtol=0, atol=1e-9), f"rows sum to {probabilities.sum(axis=1)}"
