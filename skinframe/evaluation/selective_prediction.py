"""Selective prediction: risk-coverage curves and the areas under them; confidence is the top probability."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.tied_scores import over_levels
from skinframe.roc import Curve, of_curve
from skinframe.weighted_statistics import Floats, Ints, Weighted, mean_of, ratio


def confidence_and_error(labels: Ints, probabilities: Floats) -> tuple[Floats, Floats]:
    """Return the top probability [N] and 1 where the named class is wrong [N]."""
    return probabilities.max(axis=1), (probabilities.argmax(axis=1) != labels).astype(np.float64)


def augrc(labels: Ints, probabilities: Floats) -> Weighted:
    """(1 - AUROC_f) acc (1 - acc) + (1 - acc)^2 / 2, AUROC_f ranking right above wrong (Traub 2024, arXiv:2407.01032).

    This is the area under the share of all samples that are wrong and kept, over the share kept.
    """
    confidence, wrong = confidence_and_error(labels, probabilities)

    def area(curve: Curve) -> Floats:
        width, height = np.diff(curve.alarms, axis=1), (curve.hits[:, 1:] + curve.hits[:, :-1]) / 2
        right, errors = curve.hits[:, -1], curve.alarms[:, -1]
        return ratio(right * errors - (width * height).sum(axis=1) + errors**2 / 2, (right + errors) ** 2)

    return of_curve(1 - wrong, confidence, area) if not wrong.all() else mean_of(np.full(len(wrong), 0.5))


def aurc(labels: Ints, probabilities: Floats, *, excess: bool = False) -> Weighted:
    """Mean over k = 1..n of the error rate among the k surest samples (Geifman 2019, arXiv:1805.08206).

    Among ties the order is random, and the expectation is returned: with `a` samples above a level of m samples and
    E errors among them, the level adds m q + (E - a q) (H(a + m) - H(a)), q its error rate and H harmonic numbers.
    `excess` takes away what a perfect order of the same errors would score.
    """
    confidence, wrong = confidence_and_error(labels, probabilities)

    def values(levels: Floats, sums: Floats) -> Floats:
        mass, errors = sums[:, 0, ::-1], sums[:, 1, ::-1]
        above, failed = np.cumsum(mass, axis=1) - mass, np.cumsum(errors, axis=1) - errors
        rate = np.nan_to_num(ratio(errors, mass))
        area = (errors + (failed - above * rate) * _harmonic(above, mass)).sum(axis=1)
        total, lost = mass.sum(axis=1), errors.sum(axis=1)
        if excess:
            area = area - (lost - (total - lost) * _harmonic(total - lost, lost))
        return ratio(area, total)

    return over_levels(confidence, [wrong], values)


def risk_coverage(labels: Ints, probabilities: Floats) -> tuple[Floats, Floats]:
    """Return coverage and the error rate of those kept, at every distinct confidence, from the surest down."""
    confidence, wrong = confidence_and_error(labels, probabilities)
    levels, place = np.unique(-confidence, return_inverse=True)
    kept = np.cumsum(np.bincount(place, minlength=len(levels)))
    failed = np.cumsum(np.bincount(place, weights=wrong, minlength=len(levels)))
    return kept / max(len(labels), 1), failed / np.maximum(kept, 1)


def _harmonic(start: Floats, steps: Floats) -> Floats:
    """Return H(start + steps) - H(start), for counts that need not be whole."""
    from scipy.special import digamma

    return np.asarray(digamma(start + steps + 1) - digamma(start + 1), dtype=np.float64)


class AUGRC(Metric):
    """Area under the generalised risk-coverage curve (Traub et al. 2024, arXiv:2407.01032), from 0 to 1/2."""

    name = "augrc"
    span = (0.0, 0.5)
    higher_is_better = False
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return augrc(labels, probabilities)


class AURC(Metric):
    """Area under the risk-coverage curve (Geifman et al. 2019, arXiv:1805.08206); gives the surest samples most say."""

    name = "aurc"
    span = (0.0, 1.0)
    higher_is_better = False
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return aurc(labels, probabilities)


class ExcessAURC(Metric):
    """AURC less that of the best order of the same errors (Geifman et al. 2019): how well doubt is ranked."""

    name = "excess_aurc"
    span = (0.0, 1.0)
    breaks: ClassVar = {"direction": "certainty in the wrong class leaves nothing to rank"}
    higher_is_better = False
    by_default = False

    def over(self, labels: Ints, probabilities: Floats) -> Weighted:
        return aurc(labels, probabilities, excess=True)
