"""Figures of any predictions, whoever made them: confusion, classes, reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skinframe.components import Facts, Metric
from skinframe.evaluation.bootstrap import Replicates, replicate
from skinframe.evaluation.interval_methods import interval
from skinframe.evaluation.reliability import NullFloor, classwise_floor, reliability
from skinframe.evaluation.scores_with_intervals import Score, score
from skinframe.judging.report_estimates import estimate
from skinframe.reporting.report_values import (
    CALIBRATION_TEST,
    CLASSWISE_TEST,
    Bin,
    ClassRow,
    Confusion,
    Estimate,
    Reliability,
    ReportedTest,
)
from skinframe.roc import auroc
from skinframe.seeding import derive
from skinframe.weighted_statistics import Floats, Ints, Weighted, one_hot, share_of

ALPHA = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedSamples:
    """Samples with known classes, and how they are judged: seed, resamples, level, and what shares a diagnosis."""

    classes: tuple[str, ...]
    labels: Ints
    groups: Sequence[str]
    seed: int
    resamples: int
    level: float
    units: Sequence[str] | None = None
    columns: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def facts(self, chosen_on: tuple[Ints, Floats] | None = None) -> Facts:
        """Return what metrics may know of these samples."""
        return Facts(classes=self.classes, groups=self.groups, columns=self.columns, chosen_on=chosen_on)

    def scored(
        self, metrics: Mapping[str, Metric], probabilities: Floats, chosen_on: tuple[Ints, Floats] | None = None
    ) -> dict[str, Score]:
        """Score probabilities by each metric, resampling groups; thresholds are chosen on `chosen_on`."""
        return score(
            metrics,
            self.labels,
            probabilities,
            self.groups,
            seed=self.seed,
            resamples=self.resamples,
            level=self.level,
            same_label=self.units,
            facts=self.facts(chosen_on),
        )


def confusion_of(judged: JudgedSamples, probabilities: Floats) -> Confusion:
    """Count samples by true class (rows) and predicted class (columns)."""
    counts = np.zeros((len(judged.classes), len(judged.classes)), dtype=int)
    np.add.at(counts, (judged.labels, probabilities.argmax(1)), 1)
    return Confusion(classes=judged.classes, counts=tuple(tuple(int(n) for n in row) for row in counts))


def class_rows_of(
    judged: JudgedSamples,
    probabilities: Floats,
    counts: Mapping[str, Mapping[str, int | None]],
    titles: Mapping[str, str],
) -> tuple[ClassRow, ...]:
    """Return counts by part, recall and precision with intervals, and AUROC of each class."""
    classes = judged.classes
    truth = one_hot(judged.labels, len(classes))
    named = one_hot(probabilities.argmax(1), len(classes))
    statistics: dict[str, Weighted] = {}
    for k, name in enumerate(classes):
        hit, real, said = truth[:, k] * named[:, k], truth[:, k], named[:, k]
        statistics[f"recall:{name}"] = share_of(hit, real)
        statistics[f"precision:{name}"] = share_of(hit, said)
        statistics[f"auroc:{name}"] = auroc(truth[:, k], probabilities[:, k])
    seed = derive(judged.seed, "per class")
    found = replicate(statistics, judged.groups, seed=seed, resamples=judged.resamples)
    return tuple(
        ClassRow(
            name=name,
            title=titles.get(name, ""),
            n_train=counts["train"][name],
            n_valid=counts["valid"][name],
            n_test=counts["test"][name] or 0,
            recall=interval_of(found[f"recall:{name}"], judged.level),
            precision=interval_of(found[f"precision:{name}"], judged.level),
            auroc=interval_of(found[f"auroc:{name}"], judged.level),
        )
        for name in classes
    )


def interval_of(found: Replicates, level: float) -> Estimate:
    """Return a resampled statistic as the report holds it."""
    low, high, method = interval(found, level)
    drawn = found.resampled[~np.isnan(found.resampled)]
    if found.trials is None and len(drawn) and np.ptp(drawn) == 0:  # zero width would read as certainty
        low = high = np.nan
    values = [value if np.isfinite(value) else None for value in (found.estimate, low, high)]
    return Estimate(value=values[0], low=values[1], high=values[2], method=method)


def reliability_of(judged: JudgedSamples, name: str, probabilities: Floats, ece: Score | None) -> Reliability:
    """Return a diagram with bands from the floor's own draws, and the tests of the top class and of every class."""
    seed = derive(judged.seed, "floor")
    classwise = classwise_floor(judged.labels, probabilities, seed=seed, draws=judged.resamples, units=judged.units)
    bins = reliability(judged.labels, probabilities, seed=seed, draws=judged.resamples, units=judged.units)
    return Reliability(
        name=name,
        bins=tuple(
            Bin(
                confidence=one.confidence,
                accuracy=one.accuracy,
                count=one.count,
                low=one.band_low,
                high=one.band_high,
            )
            for one in bins
        ),
        ece=None if ece is None else estimate(ece),
        verdict=None if ece is None else floor_test(CALIBRATION_TEST, ece.floor, ece.n),
        classwise=None if classwise is None else floor_test(CLASSWISE_TEST, classwise[1], len(judged.labels)),
    )


def floor_test(name: str, floor: NullFloor | None, images: int) -> ReportedTest | None:
    """Return the test of an error against what perfect calibration would score by chance.

    Not run where the draws are too few: p cannot be below 1 / (draws + 1), so that nothing could ever fail.
    """
    if floor is None:
        return None
    if floor.p >= ALPHA and floor.draws < LEAST_DRAWS:
        detail = f"{few_draws(floor.draws)}; {images} images"
        return ReportedTest(name=name, passed=None, detail=detail)
    detail = f"p = {floor.p:.3f}, {images} images, {floor.draws:,} draws"
    return ReportedTest(name=name, passed=floor.p >= ALPHA, detail=detail)


LEAST_DRAWS = 199  # below, a test that finds nothing could hardly have found anything


def few_draws(draws: int) -> str:
    """Say why a test that found nothing is not reported as one."""
    return f"not tested: {draws} draws are too few, use --resamples {LEAST_DRAWS} or more"
