"""Two models on the same test samples: paired scores, DeLong, McNemar, non-inferiority and equivalence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.delong import clustered_delong, delong
from skinframe.evaluation.hypothesis_tests import (
    Margin,
    MarginTest,
    clustered_mcnemar,
    equivalent,
    holm,
    mcnemar,
    non_inferior,
)
from skinframe.evaluation.predictions import Predictions
from skinframe.evaluation.scores_with_intervals import paired_difference, paired_replicates
from skinframe.judging.report_estimates import estimate, known
from skinframe.reporting.report_values import Estimate
from skinframe.reporting.run_comparison import Difference, ModelTest

SEED, RESAMPLES = 0, 1000
NON_INFERIORITY, EQUIVALENCE = "non-inferiority", "equivalence, TOST"
Named = tuple[str, Predictions]


def score_differences(pairs: Sequence[tuple[Named, Named]], metrics: Mapping[str, Metric]) -> list[Difference]:
    """Return first - second in each metric for each pair, resampled by group, with Holm-corrected p-values."""
    found = []
    for (first, a), (second, b) in pairs:
        for name, metric in metrics.items():
            gap = paired_difference(metric, a.labels, a.calibrated, b.calibrated, a.groups, seed=SEED)
            found.append(
                Difference(
                    first=first,
                    second=second,
                    metric=name,
                    estimate=estimate(gap),
                    p_value=known(gap.p),
                    higher_is_better=metric.higher_is_better,
                )
            )
    corrected = holm([_or_nan(row.p_value) for row in found])
    return [replace(row, adjusted=known(float(p))) for row, p in zip(found, corrected, strict=True)]


def model_tests(
    pairs: Sequence[tuple[Named, Named]],
    classes: Sequence[str],
    metrics: Mapping[str, Metric],
    margins: Sequence[Margin],
) -> list[ModelTest]:
    """Return McNemar's test of accuracy, DeLong's of each class's AUROC, and the tests against each margin.

    p-values are Holm-corrected within each method over all pairs. Where groups hold several samples the clustered
    forms are used: Durkalski's McNemar and Obuchowski's DeLong.
    """
    families = [
        [_mcnemar(*pair) for pair in pairs],
        [test for pair in pairs for test in _delong(*pair, classes)],
        [_margin_test(*pair, metrics[margin.metric], margin, NON_INFERIORITY) for pair in pairs for margin in margins],
        [_margin_test(*pair, metrics[margin.metric], margin, EQUIVALENCE) for pair in pairs for margin in margins],
    ]
    return [test for family in families for test in _corrected(family)]


def _mcnemar(one: Named, other: Named) -> ModelTest:
    (first, a), (second, b) = one, other
    ours, theirs = (table.calibrated.argmax(axis=1) == table.labels for table in (a, b))
    found = mcnemar(ours, theirs) if _independent(a) else clustered_mcnemar(ours, theirs, a.groups)
    gap = (found.first_only - found.second_only) / len(a.labels)
    return ModelTest(
        first=first,
        second=second,
        method=found.method,
        quantity="accuracy",
        estimate=Estimate(value=gap),
        p_value=known(found.p),
        detail=f"only the first correct: {found.first_only:,}; only the second: {found.second_only:,}",
    )


def _delong(one: Named, other: Named, classes: Sequence[str]) -> Iterator[ModelTest]:
    (first, a), (second, b) = one, other
    independent = _independent(a)
    # the two areas of a two-class problem are one
    for c in range(1, len(classes)) if len(classes) == 2 else range(len(classes)):
        truth, scores = a.labels == c, np.stack([a.calibrated[:, c], b.calibrated[:, c]])
        areas = delong(truth, scores) if independent else clustered_delong(truth, scores, a.groups)
        gap, low, high = map(known, areas.difference())
        if gap is not None:
            yield ModelTest(
                first=first,
                second=second,
                method="DeLong" if independent else "DeLong, clustered",
                quantity=f"AUROC of {classes[c]}",
                estimate=Estimate(value=gap, low=low, high=high),
                p_value=known(areas.p_value()),
            )


def _margin_test(one: Named, other: Named, metric: Metric, margin: Margin, kind: str) -> ModelTest:
    (first, a), (second, b) = one, other
    drawn = paired_replicates(metric, a.labels, a.calibrated, b.calibrated, a.groups, seed=SEED, resamples=RESAMPLES)
    test = non_inferior if kind == NON_INFERIORITY else equivalent
    found: MarginTest = test(drawn, metric, margin)
    return ModelTest(
        first=first,
        second=second,
        method=f"{kind} (margin {margin.size:g})",
        quantity=metric.name,
        estimate=Estimate(value=known(drawn.estimate), low=known(found.low), high=known(found.high)),
        p_value=known(found.p),
        claim=found.claim,
        alpha=found.alpha,
    )


def _independent(table: Predictions) -> bool:
    return len(set(table.groups)) == len(table.groups)


def _corrected(family: Sequence[ModelTest]) -> list[ModelTest]:
    corrected = holm([_or_nan(test.p_value) for test in family])
    return [replace(test, adjusted=known(float(p))) for test, p in zip(family, corrected, strict=True)]


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
