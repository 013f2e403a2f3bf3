"""Decision curves beside dcurves, prediction sets beside crepes and MAPIE."""

from __future__ import annotations

import numpy as np
from comparing import Comparison, apart, case, library

from skinframe.evaluation.conformal import fit, oddness
from skinframe.evaluation.decision_curves import net_benefit, treat_all
from skinframe.weighted_statistics import once

dcurves, pandas = library("dcurves"), library("pandas")
crepes, mapie = library("crepes"), library("mapie.classification")


def curve(seed):
    """Net benefit here and at another prevalence, and that of acting on all, at four thresholds."""
    random = np.random.default_rng((seed, 8))
    y, p, _ = case(seed, 2)
    if not 0 < y.sum() < len(y):
        return None
    cuts, table = np.sort(random.uniform(0.01, 0.9, 4)), pandas.DataFrame({"y": y, "p": p[:, 1]})
    gaps = []
    for there in (None, float(random.uniform(0.01, 0.5))):
        found = dcurves.dca(table, "y", ["p"], thresholds=cuts, prevalence=there).set_index(["model", "threshold"])
        for t in cuts:
            ours = once(net_benefit(y == 1, p[:, 1], t, there), np.ones(len(y)))
            gaps.append(apart(ours, found.loc[("p", t), "net_benefit"]))
            everyone = treat_all(t, y.mean() if there is None else there)
            gaps.append(apart(everyone, found.loc[("all", t), "net_benefit"]))
    return max(gaps)


def promise(seed):
    """Calibration and test samples, and a share that may be missed which no rank hits exactly."""
    (y, p, _), (_, q, _) = case(seed, 4), case(seed + 10**6, 4)
    alpha = (int(np.random.default_rng((seed, 9)).integers(0, len(y))) + 0.5) / (len(y) + 1)
    return y, p, q, alpha


def by_p_value(kind, by_class):
    """crepes turns the scores of sets into p-values, one category a class where the promise is by class."""

    def gap(seed):
        y, p, q, alpha = promise(seed)
        if by_class and len(set(y.tolist())) < 4:
            return None
        rule, own, new = fit(y, p, alpha=alpha, kind=kind, by_class=by_class), oddness(p, kind), oddness(q, kind)
        theirs = np.zeros(new.shape, dtype=bool)
        for c in range(4):
            rows = y == c if by_class else np.ones(len(y), dtype=bool)
            ranks = (rows.sum() + 1) * alpha
            if abs(ranks - round(ranks)) < 1e-6:
                return None  # a p-value exactly at the bound hangs on rounding
            model = crepes.ConformalClassifier().fit(own[np.flatnonzero(rows), y[rows]])
            theirs[:, c] = model.predict_set(new[:, [c]], confidence=1 - alpha, smoothing=False)[:, 0] > 0
        return apart(rule.sets(q), theirs)

    return gap


class Given:
    """A classifier that has learned nothing: its features are its probabilities."""

    classes_ = np.arange(4)
    n_features_in_ = 4
    _estimator_type = "classifier"

    def fit(self, x, y):
        return self

    def predict_proba(self, x):
        return x

    def predict(self, x):
        return x.argmax(1)

    def __sklearn_is_fitted__(self):
        return True


def of_mapie(kind):
    def gap(seed):
        y, p, q, alpha = promise(seed)
        if alpha < 1 / (len(y) + 1) or len(set(y.tolist())) < 3 or seed % 4 > 1:
            # it refuses a promise that so few cannot hold, two classes, and rows of float32 that do not add up
            return None
        model = mapie.SplitConformalClassifier(Given(), confidence_level=1 - alpha, conformity_score=kind)
        _, sets = model.conformalize(p, y).predict_set(q, conformity_score_params={"include_last_label": True})
        return apart(fit(y, p, alpha=alpha, kind=kind).sets(q), sets[:, :, 0])

    return gap


COMPARISONS = (
    Comparison("decision curve", "`dca`", "dcurves", curve, cases=100),
    *(
        Comparison(f"sets, {k}", "`ConformalClassifier`", "crepes", by_p_value(k, False))
        for k in ("lac", "aps", "raps")
    ),
    Comparison("sets by class, lac", "`ConformalClassifier` a class", "crepes", by_p_value("lac", True)),
    Comparison("sets, lac", "`SplitConformalClassifier`", "mapie", of_mapie("lac")),
)
