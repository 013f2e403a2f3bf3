"""Each metric equals scikit-learn's on a thousand random cases with ties, empty classes and weights."""

import warnings

import numpy as np
import pytest
from measure_cases import COUNTS, case

from skinframe.components import Facts
from skinframe.evaluation.discrimination import AUPRC, AUROC, MCC, MacroAUPRC, PartialAUC, WeightedAUROC
from skinframe.evaluation.operating_points import NPV, PPV, Sensitivity, Specificity


def oracle(name):
    """Return a function of sklearn.metrics that is imported at its first call, so that collection stays fast."""

    def call(*args, **options):
        from sklearn import metrics

        return getattr(metrics, name)(*args, **options)

    return call


def both(y, w):
    return 0 < w[y].sum() < w.sum()


def one_against_rest(function, average):
    def expected(y, p, w):
        known = [c for c in range(p.shape[1]) if both(y == c, w)]
        found = [function(y == c, p[:, c], sample_weight=w) for c in known]
        return np.average(found, weights=average(y, w, known)) if known else np.nan

    return expected


def present(y, p, w):
    """Average precision needs positives alone: where all samples are of one class it is 1."""
    known = [c for c in range(p.shape[1]) if w[y == c].sum() > 0]
    return np.mean([oracle("average_precision_score")(y == c, p[:, c], sample_weight=w) for c in known])


def binary(function, needed=both):
    return lambda y, p, w: function(y == 1, p[:, 1], sample_weight=w) if needed(y == 1, w) else np.nan


def partial(y, s, sample_weight):
    return oracle("roc_auc_score")(y, s, sample_weight=sample_weight, max_fpr=0.1)


def decision(function, of, positive):
    def expected(y, p, w):
        truth, named = y == 1, p[:, 1] > 0.5
        if w[of(truth, named) == positive].sum() == 0:
            return np.nan
        return function(truth, named, pos_label=positive, sample_weight=w)

    return expected


def correlation(y, p, w):
    """scikit-learn says 0 where the correlation is undefined; we say NaN."""
    named, used = p.argmax(1), w > 0
    flat = len(set(y[used])) == 1 or len(set(named[used])) == 1
    return np.nan if flat else oracle("matthews_corrcoef")(y, named, sample_weight=w)


ORACLES = {
    WeightedAUROC: (
        None,
        one_against_rest(oracle("roc_auc_score"), lambda y, w, known: [w[y == c].sum() for c in known]),
    ),
    MacroAUPRC: (None, present),
    MCC: (None, correlation),
    AUROC: (2, binary(oracle("roc_auc_score"))),
    AUPRC: (2, binary(oracle("average_precision_score"), lambda y, w: w[y].sum() > 0)),
    PartialAUC: (2, binary(partial)),
    Sensitivity: (2, decision(oracle("recall_score"), lambda y, s: y, True)),
    Specificity: (2, decision(oracle("recall_score"), lambda y, s: y, False)),
    PPV: (2, decision(oracle("precision_score"), lambda y, s: s, True)),
    NPV: (2, decision(oracle("precision_score"), lambda y, s: s, False)),
}


@pytest.mark.parametrize("kind", ORACLES, ids=lambda kind: kind.name)
@pytest.mark.parametrize("count", COUNTS)
def test_equals_scikit_learn(kind, count):
    classes, expected = ORACLES[kind]
    defined = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of empty classes, which are wanted here
        for seed in range(count):
            y, p, w = case(seed, classes)
            wanted = expected(y, p, w)
            assert kind().value(y, p, w) == pytest.approx(wanted, abs=1e-9, nan_ok=True), seed
            defined += not np.isnan(wanted)
    assert defined > count / 3


def test_several_positive_classes_are_looked_for_as_one():
    y, p, w = case(7, 5)
    facts = Facts(classes=tuple("abcde"))
    found = AUROC(AUROC.Config(positive=("b", "d"))).given(facts).value(y, p, w)
    truth = (y == 1) | (y == 3)
    assert found == pytest.approx(oracle("roc_auc_score")(truth, p[:, 1] + p[:, 3], sample_weight=w))
