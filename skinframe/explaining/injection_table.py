"""Robustness to text injection: how text that names another diagnosis changes the predictions of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from skinframe.data.feed import Feed
from skinframe.data.images import decode
from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.discrimination import BalancedAccuracy
from skinframe.evaluation.scores_with_intervals import paired_difference
from skinframe.explaining.feed_with_replaced_inputs import with_pictures, with_questions
from skinframe.explaining.injected_text import Entering, claim, other_class, overlaid, shuffled, tagged, try_metadata
from skinframe.judging.prediction_figures import JudgedSamples, interval_of
from skinframe.judging.report_estimates import estimate
from skinframe.model.module import Model
from skinframe.predicting.predictor import Predictor
from skinframe.predicting.validation_metrics import Outcome
from skinframe.preparing.prepared_data import Prepared
from skinframe.reporting.report_values import (
    INJECTION,
    NOTHING_ENTERS,
    Estimate,
    EvidenceRow,
    EvidenceTable,
    ReportedTest,
)
from skinframe.seeding import derive
from skinframe.weighted_statistics import Floats, Ints, mean_of

if TYPE_CHECKING:
    from PIL.Image import Image

CLEAN, PIXELS, LETTERS = "unchanged", "text in the pixels", "the same letters, shuffled"
TAGS, METADATA = "text in the file's tags", "text in the metadata"
SENTENCE = (
    "Each image is predicted again with the text 'diagnosis: NAME' of a class that is not its own. Text in the pixels"
    " is visible to the model and is not removed; the row of shuffled letters shows the effect of the covered strip"
    " alone. Metadata enters a prompt as checked enumerations and numbers only, and of a file only the pixels are read:"
    " those drops are 0 where no text got in. Attack success is the share of images predicted as the class that was"
    " written."
)
ROOM = 2**31  # bytes of a tagged file: a lossless copy is larger than the JPEG that a recipe's cap is made for


def injection_table(
    prepared: Prepared, model: Model, feed: Feed, judged: JudgedSamples, outcome: Outcome
) -> tuple[EvidenceTable, ...]:
    """Return the table of as many test images as the recipe asks for; nothing where it asks for none."""
    plan = prepared.plan
    rows, classes = _chosen(prepared, plan.recipe.evaluate.injection), plan.parts.dataset.classes
    if not rows or len(classes) < 2:
        return ()
    samples = [prepared.samples[row] for row in rows]
    named = [other_class(one.label, len(classes), plan.recipe.seed, one.id) for one in samples]
    names = [plan.parts.prompt.class_words(classes)[k] for k in named]
    claims = {row: claim(name) for row, name in zip(rows, names, strict=True)}
    entering = Entering()
    if model.reasoner is not None:
        entering = try_metadata(samples, names, plan.parts.dataset.fields, classes, plan.parts.prompt)
    feeds, changed = _feeds(prepared, model, feed, claims, entering)
    predictor = Predictor(plan, model, dict(outcome.parameters))
    tables = {}
    for name, one in feeds.items():
        tables[name] = predictor.calibrated(predictor.logits(one, rows))
    notes = {
        TAGS: f"pixels differ in {changed:,} of {len(rows):,} files",
        METADATA: f"{entering.entered:,} of {entering.tried:,} values got in",
    }
    part = _part(judged, prepared, rows)
    lines = tuple(
        _row(part, name, tables[CLEAN], table, np.array(named), notes.get(name, "")) for name, table in tables.items()
    )
    return (
        EvidenceTable(
            name="Injected text that names another diagnosis",
            topic=INJECTION,
            sentence=SENTENCE,
            head=("balanced accuracy", "drop", "attack success", "mean confidence"),
            rows=lines,
            checks=(
                ReportedTest(
                    name=NOTHING_ENTERS,
                    passed=not (changed or entering.entered) and all(_equal(tables, name) for name in (TAGS, METADATA)),
                    detail="; ".join(notes.values()),
                ),
            ),
        ),
    )


def _chosen(prepared: Prepared, count: int) -> list[int]:
    """Return at most so many test rows, drawn by id, in the order of the split."""
    test, seed = prepared.split.test, prepared.plan.recipe.seed
    drawn = sorted(test, key=lambda row: derive(seed, "injected", prepared.samples[row].id))
    kept = set(drawn[:count])
    return [row for row in test if row in kept]


def _feeds(
    prepared: Prepared, model: Model, feed: Feed, claims: Mapping[int, str], entering: Entering
) -> tuple[dict[str, Feed], int]:
    """Return the feed of each channel, and in how many files the tags changed a pixel."""
    recipe, rows = prepared.plan.recipe, list(claims)
    letters = {
        row: shuffled(text, derive(recipe.seed, "letters", prepared.samples[row].id)) for row, text in claims.items()
    }

    def read(picture: Image, words: str) -> Image:
        return decode(tagged(picture, words), max_pixels=recipe.images.max_pixels, max_bytes=ROOM)

    changed = 0
    for row, words in claims.items():
        picture = prepared.image(row)
        again = read(picture, words)
        changed += (again.size, again.tobytes()) != (picture.size, picture.tobytes())
    return {
        CLEAN: feed,
        PIXELS: with_pictures(prepared, feed, claims, overlaid),
        LETTERS: with_pictures(prepared, feed, letters, overlaid),
        TAGS: with_pictures(prepared, feed, claims, read) if changed else feed,  # equal pixels: the features they have
        METADATA: with_questions(model, feed, {rows[i]: question for i, question in entering.questions.items()}),
    }, changed


def _equal(tables: Mapping[str, Floats], name: str) -> bool:
    return np.array_equal(tables[name], tables[CLEAN])


def _part(judged: JudgedSamples, prepared: Prepared, rows: Sequence[int]) -> JudgedSamples:
    """Return the chosen test samples, judged as all of them are."""
    place = {row: i for i, row in enumerate(prepared.split.test)}
    at = [place[row] for row in rows]
    units = None if judged.units is None else [judged.units[i] for i in at]
    return replace(judged, labels=judged.labels[at], groups=[judged.groups[i] for i in at], units=units, columns={})


def _row(judged: JudgedSamples, name: str, clean: Floats, attacked: Floats, named: Ints, note: str) -> EvidenceRow:
    metric, seed = BalancedAccuracy(), derive(judged.seed, "bootstrap")
    drop = None
    if name != CLEAN:
        drop = estimate(
            paired_difference(
                metric,
                judged.labels,
                clean,
                attacked,
                judged.groups,
                seed=judged.seed,
                resamples=judged.resamples,
                level=judged.level,
            )
        )
    statistics = {
        "said": mean_of((attacked.argmax(1) == named).astype(np.float64)),
        "confidence": mean_of(attacked.max(1)),
    }
    replicates = replicate(statistics, judged.groups, seed=seed, resamples=judged.resamples)
    cells: tuple[Estimate | None, ...] = (
        estimate(judged.scored({metric.name: metric}, attacked)[metric.name]),
        drop,
        *(interval_of(statistic, judged.level) for statistic in replicates.values()),
    )
    return EvidenceRow(name=name, cells=cells, note=note)
