"""Reference rows of the report: prior, zero-shot, linear probes on frozen features, and the Bayes classifier."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skinframe.components import Dataset
from skinframe.errors import DataError
from skinframe.evaluation.proper_scores import SMALLEST, balanced_nll, log_losses
from skinframe.evaluation.softmax import log_softmax, mean_of_views, softmax
from skinframe.sample import Sample
from skinframe.weighted_statistics import Floats, Ints, once

STEPS = 2000


def focal_sum(logits: Floats, labels: Ints, gamma: float) -> tuple[float, Floats]:
    """Return sum_i (1 - p_i)^gamma (-log p_i), p_i = softmax(logits_i)[labels_i], and its gradient [N, C].

    Lin et al. 2017 (arXiv:1708.02002), without class weights. `logits` is [N, C]; gamma is 0 or at least 1.
    """
    logs = log_softmax(logits)
    rows = np.arange(len(labels))
    log_p = logs[rows, labels]
    miss = -np.expm1(log_p)
    pull = -(miss**gamma)  # d loss / d log p_i, without p_i's part in the factor
    if gamma:
        pull += gamma * np.exp(log_p) * miss ** (gamma - 1) * log_p
    slope = -np.exp(logs)
    slope[rows, labels] += 1.0  # d log p_i / d logits
    return float((miss**gamma * -log_p).sum()), pull[:, None] * slope


def focal_fit(
    features: Floats, labels: Ints, start: Floats, *, strength: float, gamma: float
) -> tuple[Floats, tuple[str, ...]]:
    """Return W [C, D + 1], its last column the biases, that minimises strength * focal_sum + |W without biases|^2 / 2.

    From `start` downhill by L-BFGS: the loss is not convex, and the minimum that cross entropy leads to is meant.
    `features` is [N, D]. Also returns what went wrong.
    """
    from scipy.optimize import minimize

    inputs = np.hstack([features, np.ones((len(features), 1))])

    def objective(flat: Floats) -> tuple[float, Floats]:
        w = flat.reshape(start.shape)
        value, slope = focal_sum(inputs @ w.T, labels, gamma)
        penalised = np.hstack([w[:, :-1], np.zeros((len(w), 1))])
        return strength * value + 0.5 * float((penalised**2).sum()), (strength * slope.T @ inputs + penalised).ravel()

    found = minimize(objective, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    said = () if found.success else ("the focal probe stopped before it converged",)
    return np.asarray(found.x, dtype=np.float64).reshape(start.shape), said


STRENGTHS = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)
PATIENCE = 2  # strengths in a row that may be worse than the best


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """Probabilities of a linear probe on both splits, the inverse penalty C that was chosen, and what went wrong."""

    valid: Floats
    test: Floats
    strength: float
    warnings: tuple[str, ...] = ()
    weights: ProbeWeights | None = None


@dataclass(frozen=True, eq=False)
class ProbeWeights:
    """A fitted probe: W [K, D + 1] of standardised features, its last column the biases, and the K classes it knows."""

    mean: Floats
    spread: Floats
    w: Floats
    seen: Ints
    classes: int

    def predict(self, features: Floats) -> Floats:
        """Return probabilities [N, C] of features [N, D], or of [views, N, D] by their mean log probabilities."""
        scaled = (features - self.mean) / self.spread
        return _spread(_asked(scaled @ self.w[:, :-1].T + self.w[:, -1]), self.seen, self.classes)


def prior(labels_train: Ints, classes: int, rows: int) -> Floats:
    """Return the training class shares in every row [rows, C], each class counted once more than it was seen."""
    counts = np.bincount(labels_train, minlength=classes) + 1.0
    return np.tile(counts / counts.sum(), (rows, 1))


def zero_shot(image_embeddings: Floats, class_text_embeddings: Floats, scale: float) -> Floats:
    """Return softmax(scale * cosine) of images [N, D] and class descriptions [C, D] (CLIP, arXiv:2103.00020)."""
    image, text = _unit(image_embeddings), _unit(class_text_embeddings)
    return softmax(scale * image @ text.T)


def bayes(dataset: Dataset, samples: Sequence[Sample]) -> Floats | None:
    """Return the true class probabilities [N, C] where the data's own law is known: nothing can score better."""
    rows = [dataset.posterior(sample) for sample in samples]
    known = [row for row in rows if row is not None]
    return np.stack(known).astype(np.float64) if known and len(known) == len(rows) else None


def linear_probe(
    features_train: Floats,
    labels: Ints,
    features_valid: Floats,
    labels_valid: Ints,
    features_test: Floats,
    *,
    classes: int,
    balanced: bool,
    seed: int,
    strengths: Sequence[float] = STRENGTHS,
    chooses: NDArray[np.bool_] | None = None,
    gamma: float = 0.0,
) -> LinearProbe:
    """Fit multinomial logistic regression on standardised features, with C chosen by the NLL of validation.

    Of the validation rows that `chooses` [N] marks, where it is given; the others are then predicted as new ones.

    Strengths are tried in order until two in a row were worse than the best: the weak penalties at the end take most of
    the time and only overfit more. `balanced` weighs classes equally, in the fit and in the NLL that chooses. A class
    that training never showed gets the smallest probability. With `gamma` the loss is focal instead of cross entropy
    (classes are not weighed then), under the same penalties. Validation and test are [N, D], or [views, N, D] and then
    predicted by the mean of the views' log probabilities. Raises DataError where a split is empty or training
    shows a single class.
    """
    if len(set(labels.tolist())) < 2 or not len(labels_valid):
        raise DataError("linear probe: needs two classes in the training split and a validation split with samples")
    mean, spread = features_train.mean(axis=0), features_train.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    train, valid, test = ((part - mean) / spread for part in (features_train, features_valid, features_test))
    marked = np.ones(len(labels_valid), dtype=bool) if chooses is None else chooses
    best: tuple[float, LinearProbe] | None = None
    worse = 0
    for strength in strengths:
        probe = _fit(train, labels, valid, test, classes, strength, balanced, seed, gamma)
        cost = _cost(labels_valid[marked], probe.valid[marked], balanced)
        if best is None or cost < best[0]:
            best, worse = (cost, probe), 0
        elif (worse := worse + 1) == PATIENCE:
            break
    if best is None:
        raise ValueError("strengths must name at least one inverse penalty")
    probe = best[1]
    assert probe.weights is not None
    return replace(probe, weights=replace(probe.weights, mean=mean, spread=spread))


def _fit(
    train: Floats,
    labels: Ints,
    valid: Floats,
    test: Floats,
    classes: int,
    strength: float,
    balanced: bool,
    seed: int,
    gamma: float,
) -> LinearProbe:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    weights = "balanced" if balanced else None
    model = LogisticRegression(C=strength, class_weight=weights, max_iter=2000, random_state=seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(train, labels)
    stopped = any(issubclass(one.category, ConvergenceWarning) for one in caught)
    said: tuple[str, ...] = ("logistic regression stopped before it converged",) if stopped else ()
    seen = np.asarray(model.classes_, dtype=np.int64)
    w = np.hstack([model.coef_, model.intercept_[:, None]])
    w = np.vstack([-w, w]) / 2 if len(seen) == 2 else w  # scikit-learn keeps the difference of two classes only
    if gamma:
        w, said = focal_fit(train, np.searchsorted(seen, labels), w, strength=strength, gamma=gamma)
    on_valid, on_test = (_spread(_asked(part @ w[:, :-1].T + w[:, -1]), seen, classes) for part in (valid, test))
    unscaled = ProbeWeights(np.zeros(train.shape[1]), np.ones(train.shape[1]), w, seen, classes)
    return LinearProbe(on_valid, on_test, strength, said, unscaled)


def _asked(scores: Floats) -> Floats:
    """Return probabilities [N, C] of scores [N, C], or of [views, N, C] by the mean of their log probabilities."""
    return softmax(mean_of_views([scores] if scores.ndim == 2 else list(scores)))


def _spread(probabilities: Floats, seen: Ints, classes: int) -> Floats:
    """Return probabilities of all classes, from those of the classes that training showed."""
    full: Floats = np.full((len(probabilities), classes), SMALLEST)
    full[:, seen] = probabilities
    normal: Floats = full / full.sum(axis=1, keepdims=True)
    return normal


def _cost(labels: Ints, probabilities: Floats, balanced: bool) -> float:
    if balanced:
        return once(balanced_nll(labels, probabilities), np.ones(len(labels)))
    return float(log_losses(labels, probabilities).mean())


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0), dtype=np.float64)
