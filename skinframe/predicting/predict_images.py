"""A finished run on new images: probabilities, rationale, heat map. Changes nothing in the run."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from skinframe.atomic_write import write_atomic, write_json
from skinframe.components import ColumnContext
from skinframe.data.feed import FeatureSource, Feed
from skinframe.data.group_split import from_parts
from skinframe.data.manifest import check_samples
from skinframe.device import best_device
from skinframe.errors import DataError, did_you_mean
from skinframe.features.feature_extraction import cache_once, extract_images
from skinframe.features.image_sources import LiveFeatures, PixelSource
from skinframe.model.module import Model
from skinframe.planning import Plan
from skinframe.planning.load_plan import refuse_old_libraries
from skinframe.predicting.finished_run import plan_of_run
from skinframe.predicting.image_file import Incoming, read_incoming
from skinframe.predicting.predictor import Predictor
from skinframe.sample import Field, Sample, Value
from skinframe.weighted_statistics import Floats


@dataclass(frozen=True)
class Prediction:
    """One image: its file, calibrated probabilities by class, the rationale and the heat map's file."""

    image: str
    prediction: str
    probabilities: Mapping[str, float]
    rationale: str
    heat: str | None


class ImagePredictions(tuple[Prediction, ...]):
    """Predictions for images; `str` lays them out as text."""

    def __str__(self) -> str:
        blocks = []
        for one in self:
            ranked = sorted(one.probabilities.items(), key=lambda pair: -pair[1])
            lines = [f"{one.image}: {one.prediction}", *(f"  {name:<28}{p:6.1%}" for name, p in ranked)]
            lines += [f"  rationale: {one.rationale}"] if one.rationale else []
            lines += [f"  heat map:  {one.heat}"] if one.heat else []
            blocks.append("\n".join(lines))
        return "\n\n".join([*blocks, "for research only; not a medical device"])


def predict(
    run: Path,
    images: Sequence[Path],
    metadata: Mapping[str, str] | None = None,
    out: Path | None = None,
    plugins: Sequence[Path] = (),
    allow_burned_in: bool = False,
) -> ImagePredictions:
    """Predict new images with the chosen checkpoint of a finished run.

    `metadata` is typed by the data set's own fields and holds for every image; `plugins` are the one-file plugins that
    the run was made with; `allow_burned_in` takes a DICOM file that does not say it is free of burned-in text. Raises
    RecipeError where the folder is no finished run, DataError for an image or a value that is not usable.
    """
    refuse_old_libraries(str(run))
    plan = plan_of_run(run, plugins)
    dataset = plan.parts.dataset
    values = typed_metadata(metadata or {}, dataset.fields)
    names = [f"{position:04d}" for position in range(len(images))]
    samples = [Sample(id=n, image=path.name, label=0, metadata=values) for n, path in zip(names, images, strict=True)]
    check_samples(samples, dataset.fields, dataset.classes)
    arrived = [read_incoming(path, plan.recipe.images, allow_burned_in) for path in images]
    predictor = Predictor.of(plan, run)
    with tempfile.TemporaryDirectory(prefix="skinframe-") as cache:  # new images are not kept beside the run's
        feed = _feed(plan, predictor.model, samples, arrived, Path(cache))
        found = _predict(predictor, feed, arrived, out)
    if out is not None:
        write_json(out / "predictions.json", [vars(one) for one in found])
    return found


def _predict(predictor: Predictor, feed: Feed, images: Sequence[Incoming], out: Path | None) -> ImagePredictions:
    plan, dataset, rows = predictor.plan, predictor.plan.parts.dataset, range(len(images))
    probabilities = predictor.calibrated(predictor.logits(feed, rows))
    texts = predictor.rationales(feed, rows)
    heat = predictor.heat(feed, rows, [int(k) for k in probabilities.argmax(1)])
    return ImagePredictions(
        Prediction(
            image=str(arrived.path),
            prediction=dataset.classes[int(probabilities[row].argmax())],
            probabilities=dict(zip(dataset.classes, map(float, probabilities[row]), strict=True)),
            rationale=texts[row],
            heat=None if heat is None or out is None else _save_heat(plan, arrived, heat[row], out, row),
        )
        for row, arrived in enumerate(images)
    )


def typed_metadata(given: Mapping[str, str], fields: Sequence[Field]) -> dict[str, Value]:
    """Return metadata as the fields' own types; what is not given is not recorded. Raises DataError."""
    known = {field.name: field for field in fields}
    for name in given:
        if name not in known:
            raise DataError(f"--meta {name}: the data set has no such field{did_you_mean(name, known)}")
    values: dict[str, Value] = dict.fromkeys(known)
    for name, text in given.items():
        try:
            values[name] = text if known[name].values else float(text)
        except ValueError:
            raise DataError(f"--meta {name}: {text!r} is not a number") from None
        problem = known[name].problem(values[name])
        if problem:
            raise DataError(f"--meta {name}: {problem}")
    return values


def _feed(plan: Plan, model: Model, samples: Sequence[Sample], images: Sequence[Incoming], cache: Path) -> Feed:
    """Return a feed over new images, with features extracted now."""
    device = best_device()
    pictures, keys = [image.picture for image in images], [image.key for image in images]
    dataset = plan.parts.dataset
    feed = Feed(
        ids=[sample.id for sample in samples],
        columns=plan.parts.columns,
        context=ColumnContext(
            samples=samples,
            split=from_parts(samples, ["test"] * len(samples)),
            classes=dataset.classes,
            attributes=dataset.attributes,
            fields=plan.metadata_fields or (),
            prompt=plan.parts.prompt,
            dataset=dataset,
        ),
        device=device,
    )
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
    feed.images = features
    feed.pixels = {
        name: PixelSource(plan.encoders[name], feed.ids, pictures.__getitem__, plan.recipe.seed)
        for name in plan.graph.trained_encoders
    }
    if model.reasoner is None:
        return feed
    feed.tokens = [model.reasoner.tokenize(plan.parts.prompt.question(s, dataset.fields), None) for s in samples]
    feed.pad_id = model.reasoner.pad_id
    return feed


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
