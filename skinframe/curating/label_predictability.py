"""How well a variable or a text predicts the label on held-out groups: class shares and logistic regression."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.sample import Sample, Value
from skinframe.seeding import derive

FOLDS = 5
FEWEST = 20  # images of a class below which its AUROC is not judged
PRIOR = 5.0  # images that the overall class shares weigh in a value's own
BINS = 20
WRONG = 0.01  # of those that a cut names, where it is said to settle the class
Labels = NDArray[np.int64]
Floats = NDArray[np.float64]


def fold_of(groups: Sequence[Sequence[int]], names: Sequence[str]) -> Labels:
    """Return a fold for each sample, one for the whole of a component, drawn from the component's first id."""
    folds = np.zeros(len(names), dtype=np.int64)
    for group in groups:
        folds[list(group)] = derive(0, "probe", min(names[index] for index in group)) % FOLDS
    return folds


def binned(values: Sequence[Value]) -> list[Hashable]:
    """Return words as they are, numbers as the number of their quantile bin, and None for what is not recorded."""
    numbers = np.array([value for value in values if isinstance(value, int | float)], dtype=np.float64)
    if not len(numbers):
        return list(values)
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]))
    return [int(np.searchsorted(edges, v)) if isinstance(v, int | float) else v for v in values]


def coded(values: Sequence[Hashable], labels: Labels, classes: int, folds: Labels) -> Floats:
    """Return [N, C]: for each sample, the class shares of its value among the samples of the other folds."""
    numbers: dict[Hashable, int] = {}
    code = np.array([numbers.setdefault(value, len(numbers)) for value in values])
    probabilities = np.zeros((len(values), classes))
    for fold in range(FOLDS):
        rest, here = folds != fold, folds == fold
        counts = np.zeros((len(numbers), classes))
        np.add.at(counts, (code[rest], labels[rest]), 1)
        overall = counts.sum(0) / max(1.0, counts.sum())
        shares = (counts + PRIOR * overall) / (counts.sum(1, keepdims=True) + PRIOR)
        probabilities[here] = shares[code[here]]
    return probabilities


def best_class(scores: Floats, labels: Labels, classes: Sequence[str]) -> tuple[float | None, str]:
    """Return the largest one-against-rest AUROC and its class; None where no class has `FEWEST` images on each side."""
    return _best(auroc, scores, labels, classes)


def most_settled(scores: Floats, labels: Labels, classes: Sequence[str]) -> tuple[float | None, str]:
    """Return the largest `settled` share and its class; None where no class has `FEWEST` images on each side."""
    return _best(settled, scores, labels, classes)


def settled(truth: NDArray[np.bool_], scores: Floats) -> float:
    """Return the largest share of a class that one cut on the score names (almost) without error.

    Of those at or above the cut, at most min(0.01, (1 - prevalence) / 10) are of other classes: 1 in 100, and a tenth
    of the errors that naming everybody would make. 0 where no cut is that clean.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    right, named = np.cumsum(truth[order]), np.arange(1, len(truth) + 1)
    cut_here = np.append(ranked[1:] != ranked[:-1], True)  # equal scores are named together
    clean = cut_here & (named - right <= min(WRONG, (1 - truth.mean()) / 10) * named)
    return float(right[clean].max(initial=0) / truth.sum())


def _best(
    judge: Callable[[NDArray[np.bool_], Floats], float], scores: Floats, labels: Labels, classes: Sequence[str]
) -> tuple[float | None, str]:
    values: list[tuple[float, str]] = []
    for number, name in enumerate(classes):
        truth = labels == number
        if min(truth.sum(), (~truth).sum()) >= FEWEST:
            values.append((judge(truth, scores[:, number]), name))
    return max(values) if values else (None, "")


def auroc(truth: NDArray[np.bool_], scores: Floats) -> float:
    """Return the area under the curve by ranks; ties count half."""
    from scipy.stats import rankdata

    positive = int(truth.sum())
    negative = len(truth) - positive
    ranks = float(rankdata(scores)[truth].sum())
    return (ranks - positive * (positive + 1) / 2) / (positive * negative)


def bag(texts: Sequence[str]) -> Any:
    """Return one column for each word and pair of words of at least two texts."""
    from sklearn.feature_extraction.text import CountVectorizer

    one_letter_too = r"(?u)\b\w+\b"  # scikit-learn's own pattern drops words of one letter
    return CountVectorizer(binary=True, token_pattern=one_letter_too, min_df=2, ngram_range=(1, 2)).fit_transform(texts)


def field_table(samples: Sequence[Sample], names: Sequence[str] = ()) -> Any:
    """Return one column for each bin or word of each field (all, where none is named), and for its being empty."""
    from sklearn.feature_extraction import DictVectorizer

    names = names or sorted({name for sample in samples for name in sample.metadata})
    columns = [binned([sample.metadata.get(name) for sample in samples]) for name in names]
    rows = [
        {f"{name}={value}": 1.0 for name, value in zip(names, row, strict=True)} for row in zip(*columns, strict=True)
    ]
    return DictVectorizer().fit_transform(rows or [{"nothing": 1.0} for _ in samples])


def cross_fitted(table: Any, labels: NDArray[np.int64], folds: NDArray[np.int64], classes: int) -> Floats:
    """Return class probabilities [N, C] of a logistic model that was fitted on the other folds of a table [N, D]."""
    from sklearn.linear_model import LogisticRegression

    probabilities = np.zeros((len(labels), classes))
    for fold in range(FOLDS):
        rest, here = folds != fold, folds == fold
        if here.any() and len(set(labels[rest].tolist())) > 1:
            model = LogisticRegression(max_iter=1000).fit(table[rest], labels[rest])
            probabilities[np.ix_(here, model.classes_)] = model.predict_proba(table[here])
    return probabilities
