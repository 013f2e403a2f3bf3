"""What a report can say of a guideline's topic by itself, one function a topic, each with the file that holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from skinframe.reporting import claims, formatting
from skinframe.reporting.report_schema import Report
from skinframe.reporting.report_values import LARGEST_GAP, NOTHING_ENTERS

Status = Literal["filled", "needs a human", "not applicable"]


@dataclass(frozen=True)
class Answer:
    """A topic's status, what is said of it, and the file of the run that shows it."""

    status: Status
    text: str
    artefact: str = ""


Fill = Callable[[Report], Answer]


def filled(text: str, artefact: str = "report.json") -> Answer:
    return Answer("filled", text, artefact)


def human(ask: str) -> Answer:
    return Answer("needs a human", ask)


def data(report: Report) -> Answer:
    if report.data is None:
        return human("Name the data set, its source and its licence.")
    kind = "; synthetic: no image is of a person" if report.data.synthetic else ""
    return filled(f"{report.data.name}{kind}. {report.data.sentence}".strip())


def partitions(report: Report) -> Answer:
    if report.data is None or not report.data.splits:
        return human("Say how the samples were divided, and at which level the parts are disjoint.")
    sizes = ", ".join(f"{part.name} {part.images:,} images of {part.groups:,}" for part in report.data.splits)
    return filled(f"{sizes} {report.headline.group_level}s. {report.data.split_sentence}", "split.json")


def classes_of_parts(report: Report) -> Answer:
    if report.data is None or not report.data.splits:
        return human("Give the number of samples of each class in each part.")
    rows = ("; ".join(f"{name} {n:,}" for name, n in part.classes.items()) for part in report.data.splits)
    names = (part.name for part in report.data.splits)
    return filled(". ".join(f"{name}: {row}" for name, row in zip(names, rows, strict=True)))


def set_aside(report: Report) -> Answer:
    count = 0 if report.data is None else len(report.data.quarantined)
    return filled(f"{count} images could not be read and were set aside.")


def model(report: Report) -> Answer:
    if report.plan is None or not report.plan.modules:
        return human("Describe the model that made these predictions.")
    parts = (f"{one.name} ({one.role}, {one.parameters:,} parameters)" for one in report.plan.modules)
    return filled("; ".join(parts), "plan.yaml")


def training(report: Report) -> Answer:
    if report.training is None:
        return human("Describe how the model was trained.")
    head = report.headline
    said = f"{head.epochs} epochs, seed {head.seed}, {head.device}; every option stands in the plan"
    return filled(f"{said}, every step's loss terms and gradient norms in the log.", "log.jsonl")


def selection(report: Report) -> Answer:
    head = report.headline
    if head.chosen_epoch is None:
        return human("Say how the final model was chosen, and on which data.")
    return filled(f"epoch {head.chosen_epoch} of {head.epochs}, chosen by {head.chosen_by} only.", "selection.json")


def imbalance(report: Report) -> Answer:
    if report.training is None or not report.training.derived:
        return human("Say how unequal class sizes were handled in training; no loss term took numbers from them.")
    terms = "; ".join(f"{one.term}: {one.name}" for one in report.training.derived)
    return filled(f"from the training counts: {terms}. Balanced accuracy weighs classes alike.", "derived.json")


def performance(report: Report) -> Answer:
    main = next((row for row in report.rows if row.role == "main"), report.rows[0])
    measured = [
        (info.label, main.metrics[info.name]) for info in formatting.columns(report) if info.name in main.metrics
    ]
    shown = (f"{label} {formatting.number(score.value)} ({formatting.interval(score)})" for label, score in measured)
    level = f"{report.level:.0%} intervals by whole {report.headline.group_level}s"
    return filled(f"{'; '.join(shown)}; {level}.", "metrics.json")


def cross_table(report: Report) -> Answer:
    if report.confusion is None:
        return human("Give the cross-table of true and predicted classes.")
    return filled(f"counts of {len(report.confusion.classes)} true by predicted classes, test images.")


def calibration(report: Report) -> Answer:
    said = [f"{diagram.name}: {formatting.reliability_sentence(diagram)}" for diagram in report.reliability]
    method = report.calibration
    if method is not None:
        said.append(f"Calibrator {formatting.plain(method.method)}, fitted on the {method.fitted_on}.")
    return filled(" ".join(said), "calibrator.json") if said else human("Assess calibration.")


def subgroups(report: Report) -> Answer:
    tables = _tested(report, LARGEST_GAP)
    if not tables:
        return human("No subgroups were judged; `skinframe evaluate RUN --subgroup FIELD` does it.")
    return filled(f"tables: {tables}.")


def explanations(report: Report) -> Answer:
    drawn = sum(case.heat is not None for case in report.cases)
    if report.grounding is None and drawn:
        return human(
            f"Heat maps of {drawn} cases are on the page; whether they lie on the lesion was not tested. Judge them, or"
            " say that they were not judged."
        )
    if report.grounding is None:
        return Answer("not applicable", "No heat maps were made.")
    return filled(formatting.grounding_sentence(report.grounding))


def rationales(report: Report) -> Answer:
    if report.rationale is None and any(case.rationale for case in report.cases):
        return human("Rationales are on the page and were not judged. Judge them, or say that they were not judged.")
    if report.rationale is None:
        return Answer("not applicable", "No rationales were written.")
    agreed = claims.agreement_sentence(report.rationale)
    if report.rationale.accuracy is None:
        return filled(f"{agreed} Their findings were not tested: no annotated attributes.", "rationales.jsonl")
    said = f"attributes right {formatting.number(report.rationale.accuracy.value)} over {report.rationale.n} rationales"
    tested = f"{said}. {formatting.rationale_sentence(report.rationale.test)}"
    return filled(f"{agreed} {tested}".strip(), "rationales.jsonl")


def robustness(report: Report) -> Answer:
    tables = _tested(report, NOTHING_ENTERS)
    if not tables:
        return human("Judge the model under changes of the input; `evaluate.injection` tests misleading words.")
    return filled(f"table: {tables}.")


def _tested(report: Report, test: str) -> str:
    """Return the names of the tables that hold a test."""
    return "; ".join(table.name for table in report.evidence if any(check.name == test for check in table.checks))


def failures(report: Report) -> Answer:
    wrong = [case for case in report.cases if case.label is not None and case.label != case.prediction]
    if not report.cases:
        return human("Show and discuss failures.")
    said = f"{len(wrong)} of {len(report.cases)} cases, shown by a fixed rule, are mistakes"
    return human(f"Discuss the failures: {said}.")


def external(report: Report) -> Answer:
    return human("This report judges one test set; `skinframe evaluate RUN --set data.…` judges the run on another.")


def versions(report: Report) -> Answer:
    made = f"skinframe {report.headline.version}, fingerprint {report.headline.fingerprint or 'none'}"
    return filled(f"{made}; libraries in environment.json.", "environment.json")


def prompts(report: Report) -> Answer:
    if report.plan is None or "prompt:" not in report.plan.yaml:
        return human("Give the prompts and the decoding options.")
    return filled("the prompt's template and version, model and length of answers stand in the plan.", "plan.yaml")


def limits(report: Report) -> Answer:
    said = " ".join(f"{line.rstrip('.')}." for line in (*report.warnings, *report.notes))
    return human(f"State the limitations. The report itself says: {said}" if said else "State the limitations.")


FILLS: dict[str, Fill] = {
    fill.__name__: fill
    for fill in (
        data,
        partitions,
        classes_of_parts,
        set_aside,
        model,
        training,
        selection,
        imbalance,
        performance,
        cross_table,
        calibration,
        subgroups,
        explanations,
        rationales,
        robustness,
        failures,
        external,
        versions,
        prompts,
        limits,
    )
}
