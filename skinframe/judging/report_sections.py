"""Parts of a run's report: reliability, data, plan, training curves; and how its test samples are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skinframe.evaluation.scores_with_intervals import Score
from skinframe.judging.prediction_figures import JudgedSamples, reliability_of
from skinframe.planning import Plan
from skinframe.planning.cost_estimate import module_rows
from skinframe.planning.plan_text import plan_yaml
from skinframe.predicting.trained_on import training_sentence
from skinframe.predicting.validation_metrics import Outcome, facts_of
from skinframe.preparing.prepared_data import Prepared
from skinframe.reporting.report_schema import Data, PlanModule, PlanText, Quarantined, SplitCounts
from skinframe.reporting.report_values import Reliability, Series, Training
from skinframe.untrusted_files import read_json_lines, read_list


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
            SplitCounts(
                name=part,
                images=len(prepared.split.part(part)),
                groups=row["groups"],
                classes={name: row[name] for name in dataset.classes},
            )
            for part, row in counts.items()
        ),
        quarantined=tuple(Quarantined(file=name, reason=reason) for name, reason in prepared.quarantined),
    )


def trained_on(prepared: Prepared) -> str:
    """Say what the model was trained on, and what that was not."""
    dataset, images = prepared.plan.parts.dataset, len(prepared.split.train)
    groups = len({prepared.samples[row].group for row in prepared.split.train})
    return training_sentence(dataset, images, groups, trains=prepared.plan.recipe.trains)


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


MAX_LOG = 4 * 2**30  # bytes: a line per step
POINTS = 200  # on the page; the log keeps every step


def training_curves(folder: Path, chosen: int | None) -> Training:
    """Return loss parts, weights, gradient norms and their shares by step, and validation metrics by epoch."""
    lines = read_json_lines(folder / "log.jsonl", MAX_LOG)
    history: list[dict[str, float | None]] = read_list(folder / "validation.json")
    names = list(dict.fromkeys(name for line in lines for name in line["parts"]))
    return Training(
        validation=tuple(
            Series(name=metric, x=tuple(range(1, len(history) + 1)), y=tuple(entry[metric] for entry in history))
            for metric in (history[0] if history else {})
        ),
        losses=tuple(_curve(lines, name, "value") for name in names),
        weights=tuple(_curve(lines, name, "weight") for name in names),
        gradients=tuple(_curve(lines, name, "grad_norm") for name in names),
        shares=tuple(_curve(lines, name, "grad_share") for name in names),
        chosen_epoch=None if chosen is None else chosen + 1,
    )


def _curve(lines: Sequence[dict[str, Any]], name: str, key: str) -> Series:
    """Return one part over the steps, averaged in at most `POINTS` windows."""
    points = [(line["step"], line["parts"][name][key]) for line in lines if key in line["parts"].get(name, {})]
    width = max(1, -(-len(points) // POINTS))
    windows = [points[start : start + width] for start in range(0, len(points), width)]
    return Series(
        name=name,
        x=tuple(sum(x for x, _ in window) / len(window) for window in windows),
        y=tuple(sum(y for _, y in window) / len(window) for window in windows),
    )
