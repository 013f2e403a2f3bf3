"""Tables of what samples say, and a logistic model on them that never judges what it was fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.curating.label_coding import FOLDS, Floats, binned
from skinframe.sample import Sample


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

    found = np.zeros((len(labels), classes))
    for fold in range(FOLDS):
        rest, here = folds != fold, folds == fold
        if here.any() and len(set(labels[rest].tolist())) > 1:
            model = LogisticRegression(max_iter=1000).fit(table[rest], labels[rest])
            found[np.ix_(here, model.classes_)] = model.predict_proba(table[here])
    return found
