"""Explanations of the test set: rationales and their accuracy, heat maps and their localisation, example cases."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skinframe.atomic_write import write_atomic
from skinframe.data.feed import Feed
from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.grounding import mask_lift
from skinframe.evaluation.rationale_accuracy import score_rationales
from skinframe.evaluation.rationale_agreement import agreeing, named_diagnoses
from skinframe.evaluation.scores_with_intervals import score_of
from skinframe.judging.report_estimates import estimate, known
from skinframe.model.module import Model
from skinframe.predicting.predict_images import grid
from skinframe.predicting.predictor import Predictor
from skinframe.predicting.validation_metrics import Outcome
from skinframe.preparing.prepared_data import Prepared
from skinframe.progress import Display
from skinframe.reporting.case_pictures import encode
from skinframe.reporting.report_schema import ExampleCase
from skinframe.reporting.report_values import (
    GROUNDING_TESTS,
    RATIONALE_TEST,
    AttributeRow,
    Estimate,
    Grounding,
    RationaleQuality,
    ReportedTest,
)
from skinframe.seeding import derive
from skinframe.weighted_statistics import mean_of, share_of

Floats = NDArray[np.float64]


def choose(
    labels: NDArray[np.int64], probabilities: Floats, count: int, units: Sequence[str] | None = None
) -> list[tuple[int, str]]:
    """Return positions and why: the most confident mistakes, the surest of each class, the least sure.

    `units` [N] name the lesions: no lesion is shown twice.
    """
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    lesion = np.unique(np.arange(len(labels)) if units is None else np.asarray(units), return_inverse=True)[1]
    wrong = _one_a_lesion([int(i) for i in np.argsort(-confidence, kind="stable") if predicted[i] != labels[i]], lesion)
    chosen: dict[int, str] = dict.fromkeys(wrong[: count // 3], "confident mistake")
    for k in range(probabilities.shape[1]):
        taken = {int(lesion[i]) for i in chosen}
        right = [int(i) for i in np.flatnonzero((labels == k) & (predicted == k)) if int(lesion[i]) not in taken]
        if right and len(chosen) < count:
            chosen[max(right, key=lambda i: (confidence[i], -i))] = "surest of its class"
    for i in np.argsort(confidence, kind="stable"):
        if len(chosen) >= count:
            break
        if int(lesion[i]) not in {int(lesion[j]) for j in chosen}:
            chosen[int(i)] = "least sure"
    return list(chosen.items())


def _one_a_lesion(positions: Sequence[int], lesion: NDArray[np.int64]) -> list[int]:
    first: dict[int, int] = {}
    for position in positions:
        first.setdefault(int(lesion[position]), position)
    return list(first.values())


def make_case(
    prepared: Prepared, outcome: Outcome, texts: Sequence[str], heat: Floats | None, position: int, note: str
) -> ExampleCase:
    """Return one case; the image is re-encoded from pixels, as the encoder saw it."""
    plan, test = prepared.plan, outcome.test
    row = prepared.split.test[position]
    sample = prepared.samples[row]
    posterior = plan.parts.dataset.posterior(sample)
    classes, attributes = plan.parts.dataset.classes, plan.parts.dataset.attributes
    # without annotated attributes the template would write what a class usually shows, and not what this image does
    annotated = any(value is not None for value in sample.attributes)
    text = texts[position]
    return ExampleCase(
        id=sample.id,
        image=encode(np.asarray(prepared.seen(row))),
        probabilities=tuple(float(p) for p in test.calibrated[position]),
        before=tuple(float(p) for p in test.probabilities[position]),
        label=sample.label,
        prediction=int(test.calibrated[position].argmax()),
        heat=None if heat is None else grid(heat[position]),
        metadata={k: "not recorded" if v is None else _shown(v) for k, v in sample.metadata.items()},
        rationale=text or None,
        target_rationale=plan.parts.prompt.rationale(sample, classes, attributes) if annotated else None,
        names=named_diagnoses(text, plan.parts.prompt.diagnosis_words(classes)) if text else None,
        posterior=None if posterior is None else tuple(float(p) for p in posterior),
        note=note,
    )


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


MASKED = 400  # test images whose masks are read for the lift; enough for an interval, and masks may be files


@dataclass(frozen=True)
class Explanations:
    """The explanatory parts of a report; None where the recipe has no reasoner or the data no truth."""

    quality: RationaleQuality | None
    grounding: Grounding | None
    cases: tuple[ExampleCase, ...]
    notes: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()  # what was made, and what of it was not tested on this set


def explain_test(
    prepared: Prepared, model: Model, feed: Feed, outcome: Outcome, folder: Path, display: Display
) -> Explanations:
    """Write a rationale and a heat map for every test sample, score both, choose the cases, where the recipe asks."""
    plan, rows = prepared.plan, prepared.split.test
    if not plan.recipe.evaluate.explain:
        off = "No rationale and no heat map was made: evaluate.explain is off."
        return Explanations(None, None, (), explained=(off,))
    predictor = Predictor(plan, model)
    with display.task("rationales") as task:
        texts = predictor.rationales(feed, rows, task.update)
    heat = predictor.heat(feed, rows, [int(k) for k in outcome.test.calibrated.argmax(1)])
    _write(prepared, texts, outcome, folder)
    units = prepared.lesions(rows)
    shown = choose(outcome.test.labels, outcome.test.calibrated, plan.recipe.evaluate.cases, units)
    cases = tuple(make_case(prepared, outcome, texts, heat, position, note) for position, note in shown)
    trained = any(part.use == "rationale" and part.enabled for part in plan.recipe.losses.values())
    notes = () if trained else ("The rationale term is off: the generated texts were not trained for this task.",)
    quality, grounding = _quality(prepared, outcome, texts), _grounding(prepared, heat)
    drawn = sum(case.heat is not None for case in cases)
    return Explanations(quality, grounding, cases, notes, _explained(quality, grounding, drawn))


def _explained(quality: RationaleQuality | None, grounding: Grounding | None, drawn: int) -> tuple[str, ...]:
    """Say what was written and drawn, and what could not be tested: silence would read as nothing to report."""
    said = []
    if quality is None:
        said.append("No rationale was written: the recipe has no part that writes one, or it wrote none.")
    elif quality.accuracy is None:
        said.append(
            "Whether the findings in the rationales are true was not tested: this set has no annotated attributes."
        )
    if not drawn:
        said.append("No heat map was drawn.")
    elif grounding is None:
        said.append(
            f"Heat maps are shown for {drawn} cases; whether they lie on the lesion was not tested: this set has no"
            " lesion masks."
        )
    return tuple(said)


def _write(prepared: Prepared, texts: Sequence[str], outcome: Outcome, folder: Path) -> None:
    classes = prepared.plan.parts.dataset.classes
    lines = [
        json.dumps({"id": name, "prediction": classes[int(k)], "rationale": text})
        for name, k, text in zip(outcome.test.ids, outcome.test.calibrated.argmax(1), texts, strict=True)
    ]
    write_atomic(folder / "rationales.jsonl", ("\n".join(lines) + "\n").encode())


def _quality(prepared: Prepared, outcome: Outcome, texts: Sequence[str]) -> RationaleQuality | None:
    """Return how often the rationales name the model's own answer, and how often their attributes are right."""
    if not any(texts):
        return None
    plan, split = prepared.plan, prepared.split
    agreed = _agreement(prepared, outcome, texts)
    names = plan.parts.dataset.attributes
    truth = [prepared.samples[row].attributes for row in split.test]
    unknown = all(value is None for row in truth for value in row)
    if not names or unknown or any(len(row) != len(names) for row in truth):
        return agreed
    quality = score_rationales(
        [plan.parts.prompt.mentions(text, names) for text in texts],
        truth,
        [prepared.samples[row].attributes for row in split.train],
        names,
        [prepared.samples[row].group for row in split.test],
        seed=plan.recipe.seed,
        resamples=plan.recipe.evaluate.resamples,
    )
    gain = f"gain {quality.gain.value:+.3f} ({quality.gain.low:+.3f} to {quality.gain.high:+.3f})"
    better = quality.gain.low > 0
    return replace(
        agreed,
        accuracy=estimate(quality.accuracy),
        majority=estimate(quality.baseline),
        attributes=tuple(
            AttributeRow(
                name=row.name,
                accuracy=Estimate(value=known(row.accuracy)),
                majority=Estimate(value=known(row.majority)),
                mentioned=row.named / row.n if row.n else None,
            )
            for row in quality.attributes
        ),
        test=ReportedTest(name=RATIONALE_TEST, passed=better, detail=gain),
    )


def _agreement(prepared: Prepared, outcome: Outcome, texts: Sequence[str]) -> RationaleQuality:
    """Return how many rationales name the predicted class, another diagnosis, or none."""
    plan, test = prepared.plan, outcome.test
    classes, evaluate = plan.parts.dataset.classes, plan.recipe.evaluate
    words = plan.parts.prompt.diagnosis_words(classes)
    named = [named_diagnoses(text, words) for text in texts]
    answers = [classes[int(k)] for k in test.calibrated.argmax(1)]
    agrees = np.array(agreeing(named, answers))
    statistic = {"agreement": share_of(agrees, np.ones(len(agrees), dtype=bool))}
    seed = derive(plan.recipe.seed, "agreement")
    found = replicate(statistic, test.groups, seed=seed, resamples=evaluate.resamples)["agreement"]
    others = Counter(name for names, answer in zip(named, answers, strict=True) for name in names if name != answer)
    return RationaleQuality(
        n=len(texts),
        agreement=estimate(
            score_of(found, len(texts), test.groups, level=evaluate.level, resamples=evaluate.resamples)
        ),
        others=sum(bool(names) and not agreed for names, agreed in zip(named, agrees, strict=True)),
        silent=sum(not names for names in named),
        named=dict(others.most_common(8)),
    )


def _grounding(prepared: Prepared, heat: NDArray[np.float64] | None) -> Grounding | None:
    """Return the lift of the heat over area and over a centre blob, where the data has lesion masks."""
    if heat is None or math.isqrt(heat.shape[1]) ** 2 != heat.shape[1]:
        return None
    area, centre, groups = [], [], []
    for values, row in list(zip(heat, prepared.split.test, strict=True))[:MASKED]:
        mask = prepared.seen_mask(row, "lesion")
        if mask is None:
            continue
        lift = mask_lift(values, mask)
        if math.isfinite(lift.lift) and lift.centre_lift > 0:
            area.append(lift.lift)
            centre.append(lift.lift / lift.centre_lift)
            groups.append(prepared.samples[row].group)
    if not area:
        return None
    over_centre = _mean(prepared, centre, groups)
    passed = over_centre.low is not None and over_centre.low > 1
    return Grounding(
        n=len(area),
        lift_over_area=_mean(prepared, area, groups),
        lift_over_centre=over_centre,
        tests=(ReportedTest(name=GROUNDING_TESTS[0], passed=passed, detail="lift over a centred Gaussian above 1"),),
    )


def _mean(prepared: Prepared, values: Sequence[float], groups: Sequence[str]) -> Estimate:
    evaluate = prepared.plan.recipe.evaluate
    seed = derive(prepared.plan.recipe.seed, "lift")
    statistic = {"mean": mean_of(np.asarray(values, dtype=np.float64))}
    replicates = replicate(statistic, groups, seed=seed, resamples=evaluate.resamples)["mean"]
    return estimate(score_of(replicates, len(values), groups, level=evaluate.level, resamples=evaluate.resamples))
