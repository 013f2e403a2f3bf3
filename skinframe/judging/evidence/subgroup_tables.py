"""For whom: a metric in every subgroup of a recorded field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skinframe.components import Metric
from skinframe.evaluation.discrimination import BalancedAccuracy
from skinframe.evaluation.subgroups import LEAST_GROUPS, SubgroupScore, SubgroupScores, by_subgroup
from skinframe.judging.prediction_figures import ALPHA, LEAST_DRAWS, JudgedSamples, few_draws
from skinframe.judging.report_estimates import known
from skinframe.reporting.report_values import LARGEST_GAP, SUBGROUPS, Estimate, EvidenceRow, EvidenceTable, ReportedTest
from skinframe.weighted_statistics import Floats


def subgroup_tables(
    judged: JudgedSamples,
    probabilities: Floats,
    fields: Mapping[str, Sequence[str | None]],
    metric: Metric | None = None,
) -> tuple[EvidenceTable, ...]:
    """Return one table a field; cells of fewer than 20 groups show their size and nothing else."""
    chosen = metric or BalancedAccuracy()
    tables = []
    for field, values in fields.items():
        found = by_subgroup(
            field,
            values,
            chosen,
            judged.labels,
            probabilities,
            judged.groups,
            seed=judged.seed,
            resamples=judged.resamples,
            level=judged.level,
        )
        tables.append(
            EvidenceTable(
                name=f"Subgroups by {field}",
                topic=SUBGROUPS,
                sentence=f"{chosen.name.replace('_', ' ').capitalize()} of each subgroup and its difference from all"
                " others over the classes that both have, with Holm-corrected p-values. Subgroups of fewer than"
                f" {LEAST_GROUPS} groups are not assessed. A difference that is not shown may still exist: read the"
                " interval widths.",
                head=("value", "difference from the rest", "p"),
                rows=tuple(_row(cell) for cell in found.cells),
                checks=(_largest_gap(found, judged.resamples),),
            )
        )
    return tuple(tables)


def _largest_gap(found: SubgroupScores, draws: int) -> ReportedTest:
    p = known(found.p)
    if p is None:
        return ReportedTest(name=LARGEST_GAP, passed=None, detail="fewer than two subgroups can be assessed")
    if p >= ALPHA and draws < LEAST_DRAWS:
        return ReportedTest(name=LARGEST_GAP, passed=None, detail=few_draws(draws))
    return ReportedTest(name=LARGEST_GAP, passed=p < ALPHA, detail=f"{found.largest_gap:.3f}, p = {p:.3f}")


def _row(cell: SubgroupScore) -> EvidenceRow:
    size = f"{cell.n:,} images of {cell.n_groups:,} groups"
    if not cell.assessable:
        return EvidenceRow(name=cell.name, cells=(None, None, None), note=f"{size}: not assessable")
    return EvidenceRow(
        name=cell.name,
        cells=(
            Estimate(value=known(cell.value), low=known(cell.low), high=known(cell.high)),
            Estimate(value=known(cell.gap)),
            Estimate(value=known(cell.p)),
        ),
        note=f"{size}; {cell.classes} classes shared with the rest",
    )
