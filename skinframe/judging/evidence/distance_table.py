"""Performance by tier: one row per tier, and a claim only where it was tested."""

from __future__ import annotations

from collections.abc import Sequence

from skinframe.components import Metric
from skinframe.curating.distance_tiers import HALF_WIDTH
from skinframe.evaluation.discrimination import BalancedAccuracy
from skinframe.evaluation.performance_by_tier import TierScore, by_tier
from skinframe.evaluation.proper_scores import NLL
from skinframe.evaluation.subgroups import LEAST_GROUPS
from skinframe.judging.prediction_figures import ALPHA
from skinframe.judging.prediction_source import Tiers
from skinframe.judging.report_estimates import known
from skinframe.reporting.report_values import (
    DROP_FROM_REFERENCE,
    OUT_OF_DISTRIBUTION,
    TIERS,
    TIERS_BY_FIELD,
    Estimate,
    EvidenceRow,
    EvidenceTable,
    ReportedTest,
)


def tier_table(tiers: Tiers, *, seed: int, resamples: int, level: float) -> EvidenceTable:
    """Return balanced accuracy, its drop from the reference tier and NLL of each tier.

    Tiers of fewer than 20 groups show their size and nothing else. The words 'out of distribution' stand only in the
    name of a test that was made against the run's own test images.
    """

    def judged(metric: Metric) -> Sequence[TierScore]:
        return by_tier(
            tiers.names,
            tiers.reference,
            metric,
            tiers.labels,
            tiers.probabilities,
            tiers.groups,
            seed=seed,
            resamples=resamples,
            level=level,
        )

    rows, losses = judged(BalancedAccuracy()), judged(NLL())
    return EvidenceTable(
        name=f"Tiers by {tiers.title}",
        topic=TIERS if tiers.by_distance else TIERS_BY_FIELD,
        sentence=f"Balanced accuracy of each tier and its drop from '{tiers.reference}' over the classes that both"
        " have, with Holm-corrected p-values. Groups with images in both tiers are resampled together. Tiers of"
        f" fewer than {LEAST_GROUPS} groups are not assessed. No calibrator is fitted on a tier.",
        head=("balanced accuracy", f"drop from {tiers.reference}", "p", "NLL"),
        rows=tuple(_row(row, loss, tiers.reference) for row, loss in zip(rows, losses, strict=True)),
        checks=_checks(rows, OUT_OF_DISTRIBUTION if tiers.by_distance else DROP_FROM_REFERENCE, tiers.reference),
    )


def _row(tier: TierScore, loss: TierScore, reference: str) -> EvidenceRow:
    size = f"{tier.n:,} images of {tier.n_groups:,} groups"
    if not tier.assessable:
        return EvidenceRow(name=tier.name, cells=(None,) * 4, note=f"{size}: not assessable")
    said = [size]
    if tier.name != reference:
        said.append(f"{tier.classes} classes shared" + (f", {tier.shared:,} groups in both" if tier.shared else ""))
    if tier.high - tier.low > 2 * HALF_WIDTH:
        said.append(f"interval wider than ±{HALF_WIDTH:.2f}: says little")
    drop = known(tier.drop)
    return EvidenceRow(
        name=tier.name,
        cells=(
            Estimate(value=known(tier.value), low=known(tier.low), high=known(tier.high)),
            None if drop is None else Estimate(value=drop, low=known(tier.drop_low), high=known(tier.drop_high)),
            None if drop is None else Estimate(value=known(tier.p)),
            Estimate(value=known(loss.value), low=known(loss.low), high=known(loss.high)),
        ),
        note="; ".join(said),
    )


def _checks(rows: Sequence[TierScore], name: str, reference: str) -> tuple[ReportedTest, ...]:
    tested = [row for row in rows if known(row.p) is not None]
    if not tested:
        return ()
    fell = [row for row in tested if row.p < ALPHA and row.drop_low > 0]
    said = [f"{row.name} by {row.drop:.3f} ({row.drop_low:.3f} to {row.drop_high:.3f})" for row in fell]
    detail = "; ".join(said) or f"shown for none of {', '.join(row.name for row in tested)}"
    return (ReportedTest(name=name, passed=bool(fell), detail=f"from {reference}: {detail}"),)
