"""Writes the report of a run from its chosen checkpoint: predictions, references, rationales, heat maps, cases."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from skinframe.atomic_write import write_json
from skinframe.data.feed import Feed
from skinframe.evaluation.scores_with_intervals import Score
from skinframe.explaining.explanations import Explanations, explain_test
from skinframe.explaining.injection_table import injection_table
from skinframe.judging.paired_references import reference_differences, screening_table
from skinframe.judging.plugin_sections import added_sections, run_data
from skinframe.judging.prediction_figures import JudgedSamples, class_rows_of, confusion_of
from skinframe.judging.prediction_source import Reference
from skinframe.judging.reference_models import references
from skinframe.judging.report_estimates import estimate, infos, plain, said
from skinframe.judging.report_sections import (
    data_section,
    judged_test,
    plan_section,
    reliability_sections,
    trained_on,
    training_curves,
)
from skinframe.judging.run_tables import case_sets, run_evidence
from skinframe.model.module import Model
from skinframe.predicting.validation_metrics import Outcome, measure
from skinframe.preparing.derived_from_counts import derived_numbers
from skinframe.preparing.prepared_data import Prepared
from skinframe.progress import Display
from skinframe.reporting.claims import shift_warnings
from skinframe.reporting.formatting import several
from skinframe.reporting.report_files import write_report
from skinframe.reporting.report_schema import Headline, Report
from skinframe.reporting.report_values import Calibration, ResultRow
from skinframe.running.resume_changes import recorded_changes, training_changes
from skinframe.untrusted_files import read_list
from skinframe.version import __version__
from skinframe.weight_location import PREFIX

RECONSTRUCTION = (
    "The paper's equations, weights and prompts are not public; the CFA terms here are our reconstruction"
    " (docs/cfa.md), and every choice is an option."
)
EMBEDDED = (
    "The embedded reasoner was trained on the law that draws the synthetic lesions (other patients, no image of this"
    " run): like a pretrained model, it has prior knowledge of how findings relate to each class. A probe on the"
    " encoder's features has none."
)
VIEWS = (
    "Every prediction, of the run and of the probes, is the mean of the log probabilities over {} flips and rotations"
    " of the image; rationale, heat map and zero-shot use the upright image."
)


def write_run_report(
    prepared: Prepared, model: Model, feed: Feed, folder: Path, chosen: int | None, seconds: float, display: Display
) -> Report:
    """Evaluate the chosen checkpoint on the test split and write metrics.json, report.json and report.html."""
    outcome = measure(prepared, model, feed, folder)
    explanations = explain_test(prepared, model, feed, outcome, folder, display)
    tables = [*_own(prepared, outcome), *references(prepared, folder)]
    judged = judged_test(prepared, outcome)
    rows, scores = _rows(prepared, judged, outcome, tables, display)
    write_json(folder / "metrics.json", {name: plain(score) for name, score in scores.items()})
    plan = prepared.plan
    main = scores["this run"]
    counts = prepared.split.counts(prepared.samples, plan.parts.dataset.classes)
    sections, unbuilt = added_sections(plan.parts.report_sections, run_data(prepared, outcome, main))
    sets = case_sets(prepared, outcome)
    dataset = plan.parts.dataset
    screening = screening_table(
        judged, outcome.test.calibrated, dataset.malignant, dataset.class_titles, word="malignant"
    )
    main_row, *others = ((name, probabilities) for name, _, role, probabilities, _ in tables if role != "reference")
    report = Report(
        headline=_headline(prepared, folder, chosen, seconds),
        classes=plan.parts.dataset.classes,
        rows=tuple(rows),
        metrics=infos(plan.parts.metrics),
        level=plan.recipe.evaluate.level,
        warnings=(*_warnings(prepared, main, outcome, folder), *unbuilt),
        reliability=reliability_sections(judged, outcome, scores),
        confusion=confusion_of(judged, outcome.test.calibrated),
        per_class=class_rows_of(judged, outcome.test.calibrated, counts, dataset.class_titles),
        training=replace(training_curves(folder, chosen), derived=derived_numbers(prepared)),
        calibration=Calibration(
            method=plan.parts.calibrator.name,
            parameters={k: f"{v:.4g}" for k, v in outcome.parameters.items() if isinstance(v, int | float)},
            fitted_on="calibration fold" if prepared.folds.own else "validation",
        ),
        evidence=(
            *(() if screening is None else (screening,)),
            *run_evidence(prepared, judged, outcome, tables),
            *injection_table(prepared, model, feed, judged, outcome),
        ),
        rationale=explanations.quality,
        grounding=explanations.grounding,
        data=data_section(prepared),
        cases=tuple(replace(case, prediction_set=sets.get(case.id)) for case in explanations.cases),
        plan=plan_section(plan),
        notes=_notes(prepared, explanations),
        sections=sections,
        class_titles=dataset.class_titles,
        trained_on=trained_on(prepared),
        differences=reference_differences(judged, main_row, others),
        explained=explanations.explained,
    )
    report = replace(report, warnings=(*report.warnings, *shift_warnings(report)))
    write_report(report, folder)
    return report


def _own(prepared: Prepared, outcome: Outcome) -> tuple[Reference, Reference]:
    """Return this run's rows, after calibration and before."""
    fold = "patients of validation that only it saw" if prepared.folds.own else "validation"
    fold = fold.replace("patients", f"{prepared.plan.parts.dataset.level}s")
    note = f"calibrator '{prepared.plan.parts.calibrator.name}', fitted on {fold}"
    test, valid = outcome.test, outcome.valid
    return (
        ("this run", note, "main", test.calibrated, valid.calibrated),
        ("this run, before calibration", "the plain softmax", "variant", test.probabilities, valid.probabilities),
    )


def _rows(
    prepared: Prepared, judged: JudgedSamples, outcome: Outcome, tables: Sequence[Reference], display: Display
) -> tuple[list[ResultRow], dict[str, dict[str, Score]]]:
    rows, scores = [], {}
    # operating points are chosen where the epoch was not, as `skinframe evaluate` chooses them
    fold = np.isin(prepared.split.valid, prepared.folds.calibration)
    with display.task("intervals") as task:
        for position, (name, note, role, probabilities, valid) in enumerate(tables):
            chosen_on = None if valid is None else (outcome.valid.labels[fold], valid[fold])
            scored = judged.scored(prepared.plan.parts.metrics, probabilities, chosen_on)
            scores[name] = scored
            metrics = {metric: estimate(value) for metric, value in scored.items()}
            rows.append(ResultRow(name=name, metrics=metrics, note=note, role=role))
            task.update(position + 1, len(tables), name)
    return rows, scores


def _headline(prepared: Prepared, folder: Path, chosen: int | None, seconds: float) -> Headline:
    plan, split = prepared.plan, prepared.split
    sizes = {f"n_{part}": len(split.part(part)) for part in ("train", "valid", "test")}
    groups = {
        f"groups_{part}": len({prepared.samples[row].group for row in split.part(part)})
        for part in ("train", "valid", "test")
    }
    epochs = len(read_list(folder / "validation.json"))  # checkpoints are thinned out
    return Headline(
        name=f"{plan.recipe.title or plan.recipe.name} on {plan.recipe.data.use}"
        + (", resumed with changes" if training_changes(folder) else ""),
        scale=plan.recipe.scale,
        device=_device(prepared.device),
        date=datetime.now(UTC).date().isoformat(),
        version=__version__,
        fingerprint=plan.fingerprint,
        seed=plan.recipe.seed,
        group_level=plan.parts.dataset.level,
        epochs=epochs,
        chosen_epoch=None if chosen is None else chosen + 1,
        chosen_by=f"validation {plan.recipe.stage_plans[-1].select.by}",
        duration=f"{seconds / 60:.1f} minutes",
        **sizes,
        **groups,
    )


def _device(device: str) -> str:
    import torch

    if device == "cuda":
        return str(torch.cuda.get_device_name(0))
    return f"CPU ({platform.machine()}, {several(torch.get_num_threads(), 'thread')})"


def _warnings(prepared: Prepared, main: Mapping[str, Score], outcome: Outcome, folder: Path) -> tuple[str, ...]:
    warnings = list(said(main))
    warnings += [
        f"resumed with other values than it was started with, so it is not the run of one recipe: {change['key']} was"
        f" {change['was']}, then {change['now']}"
        for change in recorded_changes(folder)
    ]
    warnings += list(outcome.parameters.get("warnings", []))
    warnings += [prepared.folds.warning] if prepared.folds.warning else []
    warnings += [f"accepted leak, {sentence}" for sentence in prepared.split.accepted]
    if prepared.quarantined:
        warnings.append(f"{len(prepared.quarantined)} images could not be read and were excluded; see Data")
    left_out = prepared.plan.parts.dataset.left_out()
    if left_out:
        largest = sorted(left_out.items(), key=lambda pair: -pair[1])[:8]
        classes = ", ".join(f"{count} {name}" for name, count in largest)
        warnings.append(f"{sum(left_out.values())} rows have no class in this label set and were excluded: {classes}")
    return tuple(dict.fromkeys(warnings))


def _notes(prepared: Prepared, explanations: Explanations) -> tuple[str, ...]:
    losses: Sequence[str] = [part.name for part in prepared.plan.parts.losses.values()]
    notes = [RECONSTRUCTION] if "region_alignment" in losses else []
    reasoner = prepared.plan.parts.reasoner if prepared.plan.uses_reasoner else None
    if reasoner is not None and getattr(reasoner.config, "model", "").startswith(PREFIX):
        notes.append(EMBEDDED)
    views = prepared.plan.recipe.evaluate.views
    if views > 1:
        notes.append(VIEWS.format(views))
    return (*notes, *explanations.notes)
