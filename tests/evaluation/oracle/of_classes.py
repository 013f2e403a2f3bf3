"""Metrics of the named class, of ranks and of probabilities, beside scikit-learn and torchmetrics."""

from __future__ import annotations

import numpy as np
import torch
from comparing import Comparison, against, apart, case, copied, library
from sklearn import metrics as oracle

from skinframe.components import Facts
from skinframe.evaluation.discrimination import (
    AUPRC,
    AUROC,
    MCC,
    Accuracy,
    BalancedAccuracy,
    MacroAUPRC,
    MacroAUROC,
    MacroF1,
    PartialAUC,
    WeightedAUROC,
)
from skinframe.evaluation.operating_points import (
    NPV,
    PPV,
    Sensitivity,
    SensitivityAtSpecificity,
    Specificity,
    SpecificityAtSensitivity,
)
from skinframe.evaluation.proper_scores import NLL, BalancedNLL, Brier

torchmetrics = library("torchmetrics.functional.classification")
FLOAT32 = 2e-6  # torchmetrics answers in float32, whatever it is given


def named(function, **options):
    def expected(y, p, w):
        used = w > 0
        return function(y[used], p.argmax(1)[used], sample_weight=w[used], **options)

    return expected


def correlation(y, p, w):
    """Nothing where the correlation is undefined, of which scikit-learn says 0."""
    used = w > 0
    flat = len(set(y[used])) == 1 or len(set(p.argmax(1)[used])) == 1
    return None if flat else oracle.matthews_corrcoef(y, p.argmax(1), sample_weight=w)


def log_loss(balanced):
    def expected(y, p, w):
        share = w / np.bincount(y, weights=w, minlength=p.shape[1])[y] if balanced else w
        used = w > 0
        return oracle.log_loss(y[used], p[used], sample_weight=share[used], labels=range(p.shape[1]))

    return expected


def brier(y, p, w):
    return oracle.brier_score_loss(y, p, sample_weight=w, labels=range(p.shape[1]), scale_by_half=False)


def over_classes(function, average, both=True):
    """Average a function over classes that have a sample, and where it needs both kinds, do not have all."""

    def expected(y, p, w):
        mass = np.bincount(y, weights=w, minlength=p.shape[1])
        known = [c for c in range(p.shape[1]) if mass[c] > 0 and not (both and mass[c] == w.sum())]
        found = [function(y == c, p[:, c], sample_weight=w) for c in known]
        return np.average(found, weights=mass[known] if average == "weighted" else None) if known else np.nan

    return expected


def binary(function, both=True, **options):
    def expected(y, p, w):
        if not w[y == 1].sum() or (both and not w[y == 0].sum()):
            return np.nan
        return function(y == 1, p[:, 1], sample_weight=w, **options)

    return expected


def decision(function, positive, of_truth):
    def expected(y, p, w):
        truth, called = y == 1, p[:, 1] > 0.5
        of = truth if of_truth else called
        return np.nan if not w[of == positive].sum() else function(truth, called, pos_label=positive, sample_weight=w)

    return expected


def in_torch(function, **options):
    def expected(y, p, w):
        y, p = copied(y, p, w)
        if not 0 < y.sum() < len(y):
            return None
        found = function(torch.from_numpy(p[:, 1].copy()), torch.from_numpy(y), **options)
        return float(found[0] if isinstance(found, tuple) else found)

    return expected


def at_point(kind):
    """Choose the threshold on another split's curve, and read the other rate here."""
    sought = kind.held == "sensitivity"  # then specificity is judged, on negatives

    def gap(seed):
        (y, p, w), other = case(seed, 2), case(seed + 10**6, 2)[:2]
        metric = kind().given(Facts(classes=("no", "yes"), chosen_on=other))
        truth, s = other[0] == 1, other[1][:, 1]
        if not truth.any() or truth.all() or not w[(y == 1) != sought].sum():
            return apart(metric.value(y, p, w), np.nan)
        fpr, tpr, cuts = oracle.roc_curve(truth, s, drop_intermediate=False)
        held = np.flatnonzero((tpr if sought else 1 - fpr) >= 0.9 - 1e-12)
        called = p[:, 1] >= cuts[held[0] if sought else held[-1]]
        wanted = oracle.recall_score(y == 1, called, pos_label=not sought, sample_weight=w)
        return apart(metric.value(y, p, w), wanted)

    return Comparison(kind.name, "`roc_curve`, then `recall_score`", "scikit-learn", gap)


def on_the_split_itself(kind, function):
    """Where a threshold is chosen on the very samples that are judged, torchmetrics has the figure."""

    def gap(seed):
        y, p, _ = case(seed, 2)
        if not 0 < y.sum() < len(y):
            return None
        found, _ = function(torch.from_numpy(p[:, 1].copy()), torch.from_numpy(y), 0.9)
        metric = kind().given(Facts(classes=("no", "yes"), chosen_on=(y, p)))
        return apart(metric.value(y, p, np.ones(len(y))), float(found))

    return Comparison(kind.name, f"`{function.__name__}`", "torchmetrics", gap, FLOAT32)


def scikit(kind, name, expected, **options) -> Comparison:
    return against(kind, f"`{name}`", "scikit-learn", expected, **options)


def torched(kind, name, function, **options) -> Comparison:
    return against(kind, f"`{name}`", "torchmetrics", function, classes=2, within=FLOAT32, **options)


COMPARISONS = (
    scikit(Accuracy, "accuracy_score", named(oracle.accuracy_score)),
    scikit(BalancedAccuracy, "balanced_accuracy_score", named(oracle.balanced_accuracy_score)),
    scikit(MacroF1, "f1_score(average='macro')", named(oracle.f1_score, average="macro", zero_division=0)),
    scikit(MCC, "matthews_corrcoef", correlation),
    scikit(NLL, "log_loss", log_loss(False)),
    scikit(BalancedNLL, "log_loss, balanced weights", log_loss(True)),
    scikit(Brier, "brier_score_loss", brier),
    scikit(MacroAUROC, "roc_auc_score by class", over_classes(oracle.roc_auc_score, "macro")),
    scikit(WeightedAUROC, "roc_auc_score by class", over_classes(oracle.roc_auc_score, "weighted")),
    scikit(
        MacroAUPRC, "average_precision_score by class", over_classes(oracle.average_precision_score, "macro", False)
    ),
    scikit(AUROC, "roc_auc_score", binary(oracle.roc_auc_score), classes=2),
    scikit(AUPRC, "average_precision_score", binary(oracle.average_precision_score, both=False), classes=2),
    scikit(PartialAUC, "roc_auc_score(max_fpr=0.1)", binary(oracle.roc_auc_score, max_fpr=0.1), classes=2),
    scikit(Sensitivity, "recall_score", decision(oracle.recall_score, True, True), classes=2),
    scikit(Specificity, "recall_score(pos_label=0)", decision(oracle.recall_score, False, True), classes=2),
    scikit(PPV, "precision_score", decision(oracle.precision_score, True, False), classes=2),
    scikit(NPV, "precision_score(pos_label=0)", decision(oracle.precision_score, False, False), classes=2),
    at_point(SensitivityAtSpecificity),
    at_point(SpecificityAtSensitivity),
    on_the_split_itself(SensitivityAtSpecificity, torchmetrics.binary_sensitivity_at_specificity),
    on_the_split_itself(SpecificityAtSensitivity, torchmetrics.binary_specificity_at_sensitivity),
    torched(AUROC, "binary_auroc", in_torch(torchmetrics.binary_auroc)),
    torched(AUPRC, "binary_average_precision", in_torch(torchmetrics.binary_average_precision)),
    torched(PartialAUC, "binary_auroc(max_fpr=0.1)", in_torch(torchmetrics.binary_auroc, max_fpr=0.1)),
)
