"""The positive classes against the rest: how well they are found, and what acting on the probabilities is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from skinframe.components import BinaryMetric
from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.decision_curves import at_prevalence, net_benefit, thresholds, treat_all
from skinframe.evaluation.discrimination import AUPRC, AUROC, PartialAUC
from skinframe.evaluation.operating_points import (
    SensitivityAtSpecificity,
    SensitivityHeld,
    SpecificityAtSensitivity,
    SpecificityHeld,
)
from skinframe.judging.prediction_figures import JudgedSamples, interval_of
from skinframe.judging.report_estimates import estimate
from skinframe.reporting.report_values import DECISION, DISCRIMINATION, Estimate, EvidenceRow, EvidenceTable, Series
from skinframe.seeding import derive
from skinframe.weighted_statistics import Floats, Ints

KINDS = (
    AUROC,
    AUPRC,
    PartialAUC,
    SensitivityAtSpecificity,
    SpecificityHeld,
    SpecificityAtSensitivity,
    SensitivityHeld,
)
HEAD = (
    "AUROC",
    "average precision",
    "partial AUC, FPR < 0.1",
    "sensitivity at specificity 0.9",
    "specificity held here",
    "specificity at sensitivity 0.9",
    "sensitivity held here",
)


def positive_tables(
    judged: JudgedSamples,
    methods: Mapping[str, tuple[Floats, tuple[Ints, Floats] | None]],
    positive: Sequence[str],
    *,
    prevalence: float | None,
    low: float,
    high: float,
) -> tuple[EvidenceTable, ...]:
    """Return discrimination of the positive classes and the decision curve of the first method.

    Each method has test probabilities and, where known, labels and probabilities of the split that chooses thresholds.
    """
    metrics: list[BinaryMetric] = [kind(kind.Config(positive=tuple(positive))) for kind in KINDS]
    facts = judged.facts()
    places = facts.places(positive, len(judged.classes))
    truth = np.isin(judged.labels, places)
    asked = ", ".join(judged.classes[c] for c in places)
    rows = tuple(_row(judged, name, p, chosen_on, metrics) for name, (p, chosen_on) in methods.items())
    found = EvidenceTable(
        name=f"{asked} against the rest",
        topic=DISCRIMINATION,
        sentence=f"{int(truth.sum()):,} of {len(truth):,} images are positive, so chance has an average precision of"
        f" {truth.mean() if len(truth) else 0:.3f}. Sensitivity is at the threshold with specificity 0.9 on validation,"
        " and vice versa; no threshold was chosen on the test images. What that threshold holds here stands beside it:"
        " on other data it may be far from 0.9.",
        head=HEAD,
        rows=rows,
    )
    first = next(iter(methods.values()))[0]
    curve = _decision_curve(judged, truth, first[:, places].sum(axis=1), asked, prevalence, low, high)
    return (found, curve) if truth.any() and not truth.all() else (found,)


def _row(
    judged: JudgedSamples,
    name: str,
    probabilities: Floats,
    chosen_on: tuple[Ints, Floats] | None,
    metrics: Sequence[BinaryMetric],
) -> EvidenceRow:
    found = judged.scored({metric.name: metric for metric in metrics}, probabilities, chosen_on)
    reasons = dict.fromkeys(found[metric.name].reason for metric in metrics if found[metric.name].reason)
    return EvidenceRow(
        name=name, cells=tuple(estimate(found[metric.name]) for metric in metrics), note="; ".join(reasons)
    )


def _decision_curve(
    judged: JudgedSamples,
    truth: NDArray[np.bool_],
    scores: Floats,
    asked: str,
    prevalence: float | None,
    low: float,
    high: float,
) -> EvidenceTable:
    here = float(truth.mean())
    share = here if prevalence is None else prevalence
    corrected = scores if prevalence is None or not 0 < here < 1 else at_prevalence(scores, here, prevalence)
    points = thresholds(low, high)
    statistics = {str(t): net_benefit(truth, corrected, t, prevalence) for t in points}
    seed = derive(judged.seed, "bootstrap")
    found = replicate(statistics, judged.groups, seed=seed, resamples=judged.resamples)
    rows = tuple(
        EvidenceRow(
            name=f"{100 * t:.0f} %",
            cells=(interval_of(found[str(t)], judged.level), Estimate(value=treat_all(t, share)), Estimate(value=0.0)),
        )
        for t in points
    )
    where = (
        f"the prevalence of this test set, {here:.1%}" if prevalence is None else f"a prevalence of {prevalence:.2%}"
    )
    moved = "" if prevalence is None else " (probabilities corrected for it, cases re-weighted)"
    return EvidenceTable(
        name=f"Decision curve: {asked}",
        topic=DECISION,
        sentence="Net benefit per image: true positives less false positives, weighted by the odds of the threshold."
        f" Its maximum is the prevalence. At {where}{moved}. The model is useful where it exceeds both treating all and"
        " treating none. Choose the range of thresholds before looking at the curve.",
        head=("model", "treat all", "treat none"),
        rows=rows,
        curves=(
            Series(
                name="net benefit of the model (line), of treating all and of treating none (dashed)",
                x=tuple(100 * t for t in points),
                y=tuple(row.cells[0].value if row.cells[0] else None for row in rows),
                beside=(tuple(treat_all(t, share) for t in points), (0.0,) * len(points)),
            ),
        ),
        unit="threshold, %",
    )
