"""The sections of a run's report: reliability, data, plan; and how its test samples are judged."""

from __future__ import annotations

from collections.abc import Mapping

from skinframe.evaluation.scores import Score
from skinframe.judging.prediction_figures import JudgedSamples, reliability_of
from skinframe.planning import Plan
from skinframe.planning.show import plan_yaml
from skinframe.planning.sizes import module_rows
from skinframe.predicting.validation import Outcome, facts_of
from skinframe.preparing.prepared_data import Prepared
from skinframe.reporting.schema import (
    Data,
    PlanModule,
    PlanText,
    Quarantined,
    Reliability,
    Split,
)


def judged_test(prepared: Prepared, outcome: Outcome) -> JudgedSamples:
    """Return the test samples and how this recipe judges them."""
    plan, rows = prepared.plan, prepared.split.test
    return JudgedSamples(
        classes=plan.parts.dataset.classes,
        labels=outcome.test.labels,
        groups=outcome.test.groups,
        seed=plan.recipe.seed,
        resamples=plan.recipe.evaluate.resamples,
        level=plan.recipe.evaluate.level,
        units=prepared.lesions(rows),
        columns=facts_of(prepared, rows).columns,
    )


def reliability_sections(
    judged: JudgedSamples, outcome: Outcome, scores: Mapping[str, Mapping[str, Score]]
) -> tuple[Reliability, ...]:
    """Return the diagram before and after calibration."""
    test = outcome.test
    return tuple(
        reliability_of(judged, title, table, scores[row].get("ece"))
        for title, row, table in (
            ("before calibration", "this run, before calibration", test.probabilities),
            ("after calibration", "this run", test.calibrated),
        )
    )


def data_section(prepared: Prepared) -> Data:
    """Return which images, how they were split, what was set aside."""
    dataset = prepared.plan.parts.dataset
    counts = prepared.split.counts(prepared.samples, dataset.classes)
    return Data(
        name=dataset.name,
        synthetic=dataset.synthetic,
        sentence=dataset.summary(),
        split_sentence=_split_sentence(prepared),
        splits=tuple(
            Split(
                name=part,
                images=len(prepared.split.part(part)),
                groups=row["groups"],
                classes={name: row[name] for name in dataset.classes},
            )
            for part, row in counts.items()
        ),
        quarantined=tuple(Quarantined(file=name, reason=reason) for name, reason in prepared.quarantined),
    )


def _split_sentence(prepared: Prepared) -> str:
    """Say by what was split, what was kept together, and what reaches over two parts all the same."""
    level, split = prepared.plan.parts.dataset.level, prepared.split
    said = f"Split at the {level} level (split {split.digest[:12]}): "
    if split.accepted:
        return said + "it leaks, and that was accepted by name: " + "; ".join(split.accepted) + "."
    copies = "near-duplicates were kept together" if prepared.searched else "near-duplicates were not looked for"
    left = f" {len(split.unused):,} training images were left out (a subset)." if split.unused else ""
    return f"{said}no {level} stands in two parts; {copies}.{left}"


def plan_section(plan: Plan) -> PlanText:
    """Return the plan as it was run."""
    rows = tuple(
        PlanModule(name=row.name, role=row.role, parameters=row.parameters, bytes=row.bytes)
        for row in module_rows(plan)
    )
    return PlanText(yaml=plan_yaml(plan), modules=rows, dropped=tuple(map(str, plan.graph.dropped)))
