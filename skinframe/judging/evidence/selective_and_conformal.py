"""Saying 'I do not know': what leaving out the least sure gains, and sets of classes that hold a promise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.measures.selective import AUGRC, AURC, ExcessAURC, risk_coverage
from skinframe.evaluation.use.cells import LEAST_GROUPS
from skinframe.evaluation.use.conformal import Conformal, coverage_band, fit_one_a_group
from skinframe.judging.prediction_figures import Judged, interval_of
from skinframe.judging.report_estimates import estimate
from skinframe.reporting.evidence import EvidenceRow, EvidenceTable
from skinframe.reporting.figures import Curve
from skinframe.seeding import derive
from skinframe.weighted import Floats, Ints, Weighted, mean_of, share_of

ALPHA = 0.1
SHARED = (
    " Here the calibration patients chose the epoch too, so that they are not like new ones: the sets may hold the true"
    " class less often, and nothing is proven."
)
KINDS = (("lac", False), ("aps", False), ("raps", False), ("lac", True))


def selective_table(judged: Judged, probabilities: Floats) -> EvidenceTable:
    """Return AUGRC, AURC and excess AURC, with the risk-coverage curve."""
    metrics = (AUGRC(), AURC(), ExcessAURC())
    found = judged.scored({metric.name: metric for metric in metrics}, probabilities)
    coverage, risk = risk_coverage(judged.labels, probabilities)
    return EvidenceTable(
        name="Leaving the least sure to someone else",
        sentence="Images are kept from the surest down. AUGRC is the share of all images that are wrong and kept,"
        " averaged over the share kept, from 0 to 0.5; AURC averages the error rate of those kept and hangs on a few"
        " surest images; its excess is what a perfect order of the same errors would save. Lower is better.",
        head=("AUGRC", "AURC", "excess AURC"),
        rows=(EvidenceRow(name="this table", cells=tuple(estimate(found[metric.name]) for metric in metrics)),),
        curves=(Curve(name="error rate of those kept", x=tuple(100 * coverage), y=tuple(map(float, risk))),),
        unit="% kept",
    )


def sets_table(
    judged: Judged, probabilities: Floats, fitted_on: tuple[Ints, Floats, Sequence[str]] | None, *, own: bool = True
) -> EvidenceTable | None:
    """Return how prediction sets keep their promise here; None where no calibration predictions are known.

    `own` says that the calibration predictions chose nothing else, such as the epoch.
    """
    if fitted_on is None or len(set(fitted_on[2])) < LEAST_GROUPS:
        return None
    labels, given, groups = fitted_on
    patients, rows = len(set(groups)), []
    for kind, by_class in KINDS:
        seed = derive(judged.seed, "conformal")
        rule = fit_one_a_group(labels, given, groups, alpha=ALPHA, kind=kind, by_class=by_class, seed=seed)  # type: ignore[arg-type]
        rows.append(_sets_row(judged, probabilities, rule, f"{kind.upper()}{', class by class' if by_class else ''}"))
    low, high = coverage_band(patients, ALPHA)
    return EvidenceTable(
        name="Sets of classes that hold the true one about nine times in ten",
        sentence="For each image the classes that cannot be ruled out, on average over new patients like those of"
        " calibration, one image each; class by class it is meant for every class, at the price of larger sets."
        f" Thresholds come from {patients:,} calibration groups, one image a group, the median of 100 draws: about nine"
        " in ten in simulation; proven: eight in ten. For the rows that are not class by class, one such draw covers"
        f" {low:.3f} to {high:.3f} in 95 of 100 calibration sets." + ("" if own else SHARED),
        head=("coverage", "mean size", "empty", "worst class covered"),
        rows=tuple(rows),
    )


def _sets_row(judged: Judged, probabilities: Floats, rule: Conformal, name: str) -> EvidenceRow:
    sets = rule.sets(probabilities)
    hit = np.take_along_axis(sets, judged.labels[:, None], axis=1)[:, 0].astype(np.float64)
    size, everyone = sets.sum(axis=1), np.ones(len(hit), dtype=bool)
    statistics: dict[str, Weighted] = {
        "coverage": share_of(hit, everyone),
        "size": mean_of(size.astype(np.float64)),
        "empty": share_of(size == 0, everyone),
    }
    present = [c for c in range(len(judged.classes)) if (judged.labels == c).any()]
    worst = min(present, key=lambda c: hit[judged.labels == c].mean())
    statistics["worst"] = share_of(hit, judged.labels == worst)
    seed = derive(judged.seed, "bootstrap")
    found = replicate(statistics, judged.groups, seed=seed, resamples=judged.resamples)
    loose = any(math.isinf(t) for t in rule.thresholds)
    note = f"worst class: {judged.classes[worst]}"
    note += "; a class with too few calibration groups is in every set" if loose else ""
    return EvidenceRow(name=name, cells=tuple(interval_of(one, judged.level) for one in found.values()), note=note)
