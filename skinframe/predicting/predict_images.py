"""Predictions of a finished run on new images: probabilities, rationale, heat map."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from skinframe.atomic_write import write_atomic, write_json
from skinframe.data.feed import FeatureSource, Feed
from skinframe.data.group_split import from_parts
from skinframe.data.manifest import check_samples
from skinframe.data.safe_csv import csv_text
from skinframe.device import best_device
from skinframe.errors import DataError
from skinframe.evaluation.rationale_agreement import named_diagnoses
from skinframe.features.feature_extraction import cache_once, extract_images
from skinframe.features.image_sources import LiveFeatures
from skinframe.model.module import Model
from skinframe.planning import Plan
from skinframe.planning.load_plan import refuse_old_libraries
from skinframe.predicting.finished_run import plan_of_run
from skinframe.predicting.image_file import Incoming, read_incoming
from skinframe.predicting.prediction_inputs import InputImage, input_images
from skinframe.predicting.predictor import Predictor
from skinframe.predicting.trained_on import trained_on
from skinframe.preparing.run_feed import assemble_feed, column_context
from skinframe.sample import Field, Sample
from skinframe.weighted_statistics import Floats


@dataclass(frozen=True)
class Prediction:
    """One image: its file, calibrated probabilities by class, the rationale and the heat map's file.

    `missing` are the metadata fields that are not recorded for it. With a `problem` the image could not be read, and
    nothing was predicted. `rationale_names` are the diagnoses that the rationale names; the prediction alone where it
    agrees.
    """

    image: str
    prediction: str
    probabilities: Mapping[str, float]
    rationale: str
    heat: str | None
    missing: tuple[str, ...] = ()
    problem: str = ""
    rationale_names: tuple[str, ...] = ()

    @property
    def contradiction(self) -> str:
        """Say that the rationale does not name the predicted class alone; empty where it does or there is none."""
        if not self.rationale or self.rationale_names == (self.prediction,):
            return ""
        named = ", ".join(self.rationale_names) or "no diagnosis"
        return f"the rationale names {named}, not the predicted class alone"


class ImagePredictions(tuple[Prediction, ...]):
    """Predictions that print as text, with what to know of all of them."""

    notes: tuple[str, ...] = ()

    def to_csv(self) -> str:
        """Return one line an image: file, prediction, a probability a class, rationale, heat map, what is missing."""
        classes = list(dict.fromkeys(name for one in self for name in one.probabilities))
        head = ["image", "prediction", *(f"probability:{name}" for name in classes)]
        rows = [
            [
                *(one.image, one.prediction, *(one.probabilities.get(name) for name in classes)),
                *(one.rationale, one.heat, ", ".join(one.missing), one.problem),
            ]
            for one in self
        ]
        return csv_text([*head, "rationale", "heat", "metadata_missing", "problem"], rows)

    def __str__(self) -> str:
        blocks = []
        for prediction in self:
            if prediction.problem:
                blocks.append(f"{prediction.image}: not predicted: {prediction.problem}")
                continue
            ranked = sorted(prediction.probabilities.items(), key=lambda pair: -pair[1])
            lines = [f"{prediction.image}: {prediction.prediction}", *(f"  {name:<28}{p:6.1%}" for name, p in ranked)]
            lines += [f"  rationale: {prediction.rationale}"] if prediction.rationale else []
            lines += [f"  warning: {prediction.contradiction}"] if prediction.contradiction else []
            lines += [f"  heat map:  {prediction.heat}"] if prediction.heat else []
            lines += [f"  metadata not recorded: {', '.join(prediction.missing)}"] if prediction.missing else []
            blocks.append("\n".join(lines))
        notes = ["\n".join(f"note: {note}" for note in self.notes)] if self.notes else []
        return "\n\n".join([*blocks, *notes, "for research only; not a medical device"])


def predict(
    run: Path,
    images: Sequence[Path],
    metadata: Mapping[str, str] | None = None,
    out: Path | None = None,
    plugins: Sequence[Path] = (),
    allow_burned_in: bool = False,
) -> ImagePredictions:
    """Predict new images with the chosen checkpoint of a finished run.

    `images` are files, folders of files, and tables with a column `image` and a row of metadata an image. An image of a
    folder or table that cannot be read is set aside and named. `metadata` is typed by the data set's own fields and
    holds for every image that has none of its own. Writes predictions.csv, predictions.json and heat maps into `out`;
    an `out` that ends in .csv is the one file. `plugins` are the one-file plugins that
    the run was made with; `allow_burned_in` takes a DICOM file that does not say it is free of burned-in text. Raises
    RecipeError where the folder is no finished run, DataError for an image or a value that is not usable.
    """
    refuse_old_libraries(str(run))
    plan = plan_of_run(run, plugins)
    dataset = plan.parts.dataset
    asked, notes = input_images(images, metadata or {}, dataset.fields)
    asked, arrived, problems = _readable(asked, plan, allow_burned_in)
    samples = [
        Sample(id=f"{place:04d}", image=prediction.path.name, label=0, metadata=prediction.metadata)
        for place, prediction in enumerate(asked)
    ]
    check_samples(samples, dataset.fields, dataset.classes)
    predictor = Predictor.of(plan, run)
    table, heat_folder = (out, None) if out is not None and out.suffix.lower() == ".csv" else (None, out)
    with tempfile.TemporaryDirectory(prefix="skinframe-") as cache:  # new images are not kept beside the run's
        feed = _feed(plan, predictor.model, samples, arrived, Path(cache))
        predicted = _predict(predictor, feed, arrived, heat_folder)
    whole = [
        replace(prediction, missing=image.missing(dataset.fields))
        for prediction, image in zip(predicted, asked, strict=True)
    ]
    predictions = ImagePredictions([*whole, *problems])
    predictions.notes = (*notes, *_missing_note(asked, dataset.fields), trained_on(run, plan))
    if table is not None:
        write_atomic(table, predictions.to_csv().encode())
    elif out is not None:
        write_json(out / "predictions.json", [vars(prediction) for prediction in predictions])
        write_atomic(out / "predictions.csv", predictions.to_csv().encode())
    return predictions


def _readable(
    asked: Sequence[InputImage], plan: Plan, allow_burned_in: bool
) -> tuple[list[InputImage], list[Incoming], list[Prediction]]:
    """Return the images that can be read, and those of a folder or table that cannot. Raises DataError for a named one.

    Also raises DataError where none is left.
    """
    kept, arrived, problems = [], [], []
    for one in asked:
        try:
            arrived.append(read_incoming(one.path, plan.recipe.images, allow_burned_in))
            kept.append(one)
        except DataError as error:
            if one.named:
                raise
            reason = str(error).removeprefix(f"{one.path}: ").removeprefix(f"{one.path.name}: ")
            problems.append(Prediction(str(one.path), "", {}, "", None, (), reason))
    if not kept:
        first = f", such as {problems[0].image}: {problems[0].problem}" if problems else ""
        raise DataError(f"none of the {len(problems)} images can be read{first}")
    return kept, arrived, problems


def _missing_note(asked: Sequence[InputImage], fields: Sequence[Field]) -> tuple[str, ...]:
    """Say how many images lack which field: the run was trained with them."""
    lacking = {field.name: sum(one.metadata.get(field.name) is None for one in asked) for field in fields}
    shown = ", ".join(f"{name} ({count})" for name, count in lacking.items() if count)
    if not shown:
        return ()
    return (
        f"the run was trained with metadata that are not recorded here: {shown} of {len(asked)} images; --meta or"
        " columns of a table give them",
    )


def _predict(predictor: Predictor, feed: Feed, images: Sequence[Incoming], out: Path | None) -> ImagePredictions:
    plan, dataset, rows = predictor.plan, predictor.plan.parts.dataset, range(len(images))
    probabilities = predictor.calibrated(predictor.logits(feed, rows))
    texts = predictor.rationales(feed, rows)
    heat = predictor.heat(feed, rows, [int(k) for k in probabilities.argmax(1)])
    words = plan.parts.prompt.diagnosis_words(dataset.classes)
    return ImagePredictions(
        Prediction(
            image=str(arrived.path),
            prediction=dataset.classes[int(probabilities[row].argmax())],
            probabilities=dict(zip(dataset.classes, map(float, probabilities[row]), strict=True)),
            rationale=texts[row],
            heat=None if heat is None or out is None else _save_heat(plan, arrived, heat[row], out, row),
            rationale_names=named_diagnoses(texts[row], words),
        )
        for row, arrived in enumerate(images)
    )


def _feed(plan: Plan, model: Model, samples: Sequence[Sample], images: Sequence[Incoming], cache: Path) -> Feed:
    """Return a feed over new images, with features extracted now."""
    device = best_device()
    pictures, keys = [image.picture for image in images], [image.key for image in images]
    features: dict[str, FeatureSource] = {}
    for name, encoder in plan.encoders.items():
        texts = encoder.text_signals()
        if encoder.mode == "live":
            features[name] = LiveFeatures(cache_once(partial(encoder.load, device)), pictures.__getitem__)
        elif encoder.mode == "cached" and any(signal not in texts for signal in encoder.provides()):
            features[name] = extract_images(
                encoder,
                keys,
                pictures.__getitem__,
                root=cache,
                views=plan.recipe.evaluate.views,
                device=device,
                load_tower=partial(encoder.load, device),
            )
    context = column_context(plan, samples, from_parts(samples, ["test"] * len(samples)))
    return assemble_feed(plan, model, context, images=features, load=pictures.__getitem__, device=device)


def _save_heat(plan: Plan, image: Incoming, heat: Any, out: Path, row: int) -> str | None:
    from skinframe.reporting.case_pictures import encode, overlay_png

    cells = grid(heat)
    if cells is None:
        return None
    focus = plan.graph.roots.focus
    assert focus is not None
    picture = overlay_png(encode(np.asarray(plan.encoders[focus.instance].seen(image.picture))), cells)
    if picture is None:
        return None
    target = out / f"{row:04d}-{image.path.stem}-heat.png"
    write_atomic(target, picture)
    return str(target)


def grid(heat: Floats) -> tuple[tuple[float, ...], ...] | None:
    """Return a heat vector as a square grid; None where it is not one (two towers at once)."""
    side = math.isqrt(len(heat))
    if side * side != len(heat):
        return None
    return tuple(tuple(float(v) for v in line) for line in heat.reshape(side, side))
