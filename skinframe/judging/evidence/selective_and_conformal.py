"""Saying 'I do not know': what leaving out the least sure gains, and sets of classes that hold a promise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.conformal import Conformal, coverage_band, fit_one_a_group
from skinframe.evaluation.selective_prediction import AUGRC, AURC, ExcessAURC, risk_coverage
from skinframe.evaluation.subgroups import LEAST_GROUPS
from skinframe.judging.prediction_figures import JudgedSamples, interval_of
from skinframe.judging.report_estimates import estimate
from skinframe.reporting.report_values import CONFORMAL, SELECTIVE, EvidenceRow, EvidenceTable, Series
from skinframe.seeding import derive
from skinframe.weighted_statistics import Floats, Ints, Weighted, mean_of, share_of

ALPHA = 0.1
SHARED = (
    " Here the calibration patients also chose the epoch, so they are not exchangeable with new patients: coverage may"
    " be lower, and no bound is proven."
)
KINDS = (("lac", False), ("aps", False), ("raps", False), ("lac", True))


def selective_table(judged: JudgedSamples, probabilities: Floats) -> EvidenceTable:
    """Return AUGRC, AURC and excess AURC, with the risk-coverage curve."""
    metrics = (AUGRC(), AURC(), ExcessAURC())
    found = judged.scored({metric.name: metric for metric in metrics}, probabilities)
    coverage, risk = risk_coverage(judged.labels, probabilities)
    return EvidenceTable(
        name="Selective prediction (abstaining on the least confident)",
        topic=SELECTIVE,
        sentence="Images are kept in order of decreasing confidence. AUGRC is the share of all images that are kept and"
        " wrong, averaged over coverage, from 0 to 0.5; AURC averages the error rate of the images kept and depends"
        " strongly on the most confident few; excess AURC is AURC less that of a perfect ranking of the same errors."
        " Lower is better.",
        head=("AUGRC", "AURC", "excess AURC"),
        rows=(
            EvidenceRow(name="top-class probability", cells=tuple(estimate(found[metric.name]) for metric in metrics)),
        ),
        curves=(Series(name="error rate of the images kept", x=tuple(100 * coverage), y=tuple(map(float, risk))),),
        unit="coverage, %",
    )


def lac_rule(fitted_on: tuple[Ints, Floats, Sequence[str]], seed: int) -> Conformal:
    """Return the rule of the table's first row: LAC, one threshold for all classes."""
    labels, given, groups = fitted_on
    return fit_one_a_group(
        labels, given, groups, alpha=ALPHA, kind="lac", by_class=False, seed=derive(seed, "conformal")
    )


def sets_table(
    judged: JudgedSamples,
    probabilities: Floats,
    fitted_on: tuple[Ints, Floats, Sequence[str]] | None,
    *,
    own: bool = True,
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
        rows.append(_sets_row(judged, probabilities, rule, f"{kind.upper()}{', per class' if by_class else ''}"))
    low, high = coverage_band(patients, ALPHA)
    return EvidenceTable(
        name="Conformal prediction sets (90 %)",
        topic=CONFORMAL,
        sentence="Each set holds the classes that cannot be ruled out, so that about nine sets in ten hold the true"
        " class, on average over new patients like those of calibration, one image each; per class, the target holds"
        f" for every class, with larger sets. Thresholds come from {patients:,} calibration groups, one image per"
        " group, as the median of 100 draws: about 90 % coverage in simulation, 80 % proven. Marginal coverage of a"
        f" single draw lies between {low:.3f} and {high:.3f} for 95 of 100 calibration sets." + ("" if own else SHARED),
        head=("coverage", "mean size", "empty", "coverage of the worst class"),
        rows=tuple(rows),
    )


def _sets_row(judged: JudgedSamples, probabilities: Floats, rule: Conformal, name: str) -> EvidenceRow:
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
    cells = {name: interval_of(one, judged.level) for name, one in found.items()}
    note = f"worst class: {judged.classes[worst]}"
    high = cells["coverage"].high
    if high is not None and high < 1 - ALPHA:
        note = f"BROKEN HERE: fewer than {1 - ALPHA:.0%} of these sets hold the true class; {note}"
    note += "; a class with too few calibration groups is in every set" if loose else ""
    return EvidenceRow(name=name, cells=tuple(cells.values()), note=note)
