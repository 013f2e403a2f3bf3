"""Two models on the same test samples: paired scores, DeLong, McNemar, non-inferiority and equivalence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from skinframe.components import Metric
from skinframe.errors import DataError
from skinframe.evaluation.bootstrap import Replicates
from skinframe.evaluation.delong import clustered_delong, delong
from skinframe.evaluation.hypothesis_tests import (
    Margin,
    MarginTest,
    clustered_mcnemar,
    equivalent,
    holm,
    mcnemar,
    non_inferior,
    resamples_for,
)
from skinframe.evaluation.predictions import Predictions
from skinframe.evaluation.scores_with_intervals import difference_of, replicates_of_pairs
from skinframe.judging.report_estimates import estimate, known
from skinframe.reporting.report_values import Difference, Estimate
from skinframe.reporting.run_comparison import ModelTest

SEED = 0
LEVEL = 0.95
NON_INFERIORITY, EQUIVALENCE = "non-inferiority", "equivalence, TOST"
Named = tuple[str, Predictions]


def score_differences(pairs: Sequence[tuple[Named, Named]], metrics: Mapping[str, Metric]) -> list[Difference]:
    """Return first - second in each metric for each pair, resampled by group, with Holm-corrected p-values.

    All tables have the same samples in the same order (`aligned`). The resamples grow with the number of tests.
    """
    resamples = resamples_for(len(pairs) * len(metrics))
    gaps = _differences([(pair, metric) for pair in pairs for metric in metrics.values()], resamples)
    found = []
    for place, ((first, a), (second, _)) in enumerate(pairs):
        for column, (name, metric) in enumerate(metrics.items()):
            drawn = gaps[place * len(metrics) + column]
            gap = difference_of(drawn, len(a.labels), a.groups, level=LEVEL, resamples=resamples)
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


def _differences(asked: Sequence[tuple[tuple[Named, Named], Metric]], resamples: int) -> list[Replicates]:
    """Return metric(first) - metric(second) of each pair and metric, all on the same resamples."""
    if not asked:
        return []
    ((_, table), _), _ = asked[0]
    pairs = {str(i): (metric, a.calibrated, b.calibrated) for i, (((_, a), (_, b)), metric) in enumerate(asked)}
    return list(replicates_of_pairs(pairs, table.labels, table.groups, seed=SEED, resamples=resamples).values())


def aligned(tables: Sequence[Named], classes: Sequence[Sequence[str]]) -> list[Named]:
    """Return the tables with the rows and the classes of the first, matched by sample id and by class name.

    Raises DataError where a table has other samples or classes, or another label for a sample.
    """
    (reference, first), order = tables[0], list(classes[0])
    for name, own in zip((name for name, _ in tables), classes, strict=True):
        if sorted(own) != sorted(order):
            raise DataError(f"{name}: its classes are {', '.join(own)}; those of {reference} are {', '.join(order)}")
    matched = [
        (name, _like(first, reference, table, name, [own.index(one) for one in order]))
        for (name, table), own in zip(tables, map(list, classes), strict=True)
    ]
    # one grouping for all, so that every model is resampled by the same patients: the coarsest that is known
    groups = min((table.groups for _, table in matched), key=lambda groups: len(set(groups)))
    return [(name, replace(table, groups=groups)) for name, table in matched]


def _like(first: Predictions, reference: str, table: Predictions, name: str, columns: Sequence[int]) -> Predictions:
    place = {sample: row for row, sample in enumerate(table.ids)}
    missing = [sample for sample in first.ids if sample not in place]
    extra = len(table.ids) - (len(first.ids) - len(missing))
    if missing or extra:
        what = f"{len(missing)} of its samples are missing" if missing else f"{extra} more samples than in it"
        such = f", such as '{missing[0]}'" if missing else ""
        raise DataError(
            f"{name}: was tested on other samples than {reference} ({what}{such}); only the same test samples can be"
            " compared"
        )
    rows = [place[sample] for sample in first.ids]
    back = np.argsort(columns)  # from this table's class numbers to the first's
    labels = np.where(table.labels < 0, -1, back[table.labels])[rows]
    other = np.flatnonzero(labels != first.labels)
    if len(other):
        raise DataError(
            f"{name}: was tested on other samples than {reference}: {len(other)} samples have another label, such as"
            f" '{first.ids[other[0]]}'"
        )
    logits, probabilities, calibrated = (
        block[rows][:, list(columns)] for block in (table.logits, table.probabilities, table.calibrated)
    )
    groups = tuple(table.groups[row] for row in rows)
    return Predictions(first.ids, groups, first.labels, logits, probabilities, calibrated, first.lesions)


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
    asked = [(pair, margin) for pair in pairs for margin in margins]
    resamples = resamples_for(len(asked), alpha=0.025)
    gaps = _differences([(pair, metrics[margin.metric]) for pair, margin in asked], resamples)
    families = [
        [_mcnemar(*pair) for pair in pairs],
        [test for pair in pairs for test in _delong(*pair, classes)],
        *(
            [
                _margin_test(pair, gap, metrics[margin.metric], margin, kind)
                for (pair, margin), gap in zip(asked, gaps, strict=True)
            ]
            for kind in (NON_INFERIORITY, EQUIVALENCE)
        ),
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


def _margin_test(pair: tuple[Named, Named], drawn: Replicates, metric: Metric, margin: Margin, kind: str) -> ModelTest:
    (first, _), (second, _) = pair
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
