"""External test: predictions of a finished run on another data set. Changes nothing in the run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skinframe.errors import DataError
from skinframe.evaluation.predictions import Predictions, write_predictions
from skinframe.planning import Plan
from skinframe.planning.load_plan import refuse_foreign_settings, refuse_missing, refuse_old_libraries
from skinframe.predicting.finished_run import read_json
from skinframe.predicting.output_folder import make_ready
from skinframe.predicting.relabelled_dataset import RelabelledDataset
from skinframe.preparing.known_images import same_files
from skinframe.preparing.prepared_data import Prepared
from skinframe.progress import Display
from skinframe.sample import Field, Sample


def predict_external(
    run: Path, plan: Plan, cache: Path, display: Display, out: Path, fields: Sequence[Field] = ()
) -> tuple[Predictions, Prepared, tuple[str, ...]]:
    """Predict every sample of the plan's data set with the run's chosen checkpoint and its calibrator.

    `fields` are the metadata fields that the run was trained with: those that this set does not record are named.
    Returns the predictions, the data as they were prepared (all of them test) and what to know of them; writes the
    predictions into `out`. Raises DataError where the data are not usable or every one of them was trained on.
    """
    refuse_foreign_settings(os.environ)
    refuse_missing(plan)
    refuse_old_libraries(plan.source)
    import torch

    from skinframe.evaluation.softmax import softmax
    from skinframe.predicting.predictor import Predictor
    from skinframe.preparing.prepare import prepare
    from skinframe.preparing.run_feed import make_feed

    torch.set_num_threads(plan.recipe.train.threads)
    make_ready(out)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    prepared = prepare(plan, out, cache, device, display, all_test=True)
    predictor = Predictor.of(plan, run)
    rows = prepared.split.test
    logits = predictor.logits(make_feed(prepared, predictor.model), rows)
    samples = [prepared.samples[row] for row in rows]
    predictions = Predictions(
        ids=tuple(sample.id for sample in samples),
        groups=tuple(sample.group for sample in samples),
        labels=np.array([sample.label for sample in samples], dtype=np.int64),
        logits=logits,
        probabilities=softmax(logits),
        calibrated=predictor.calibrated(logits),
        lesions=tuple(prepared.lesions(rows)),
    )
    write_predictions(out / "predictions.parquet", predictions, plan.parts.dataset.classes)
    aside = len(prepared.quarantined)
    return (
        predictions,
        prepared,
        (
            *_seen(run, samples),
            *_copies(run, samples, [prepared.keys[row] for row in rows]),
            *((dataset.note(),) if isinstance(dataset := plan.parts.dataset, RelabelledDataset) else ()),
            *_unrecorded(fields, samples),
            *([f"{aside} images could not be read and were set aside"] if aside else []),
        ),
    )


def _copies(run: Path, samples: Sequence[Sample], keys: Sequence[str]) -> tuple[str, ...]:
    """Say how many images are files of the run's training, under whatever id. Raises DataError where all are."""
    copies = same_files(run, keys)
    if copies is None:
        return ("the run does not record its training images, so copies of them were looked for by id only",)
    if copies and len(copies) == len(samples):
        raise DataError(f"{run}: all {len(samples)} images are files that it was trained on; name data it never saw")
    if not copies:
        return ()
    return (
        f"{len(copies)} of {len(samples)} images are byte for byte images that the run trained or validated on, such as"
        f" {samples[copies[0]].id}: every figure here is too good by them; leave them out",
    )


def _unrecorded(fields: Sequence[Field], samples: Sequence[Sample]) -> tuple[str, ...]:
    """Name the metadata that the run was trained with and that this set does not record, or seldom does."""
    missing, seldom = [], []
    for field in fields:
        known = sum(field.problem(s.metadata.get(field.name)) is None for s in samples if _has(s, field.name))
        if known == 0:
            missing.append(field.name)
        elif known < len(samples) / 2:
            seldom.append(f"{field.name} in {known:,} of {len(samples):,} images")
    said = []
    if missing:
        said.append(
            f"the model was trained with {', '.join(missing)}, which this set does not record: it is asked without, and"
            " the probes with metadata are, too"
        )
    if seldom:
        said.append(f"metadata that the model was trained with is seldom recorded here: {'; '.join(seldom)}")
    return tuple(said)


def _has(sample: Sample, name: str) -> bool:
    return sample.metadata.get(name) is not None


def _seen(run: Path, samples: Sequence[Sample]) -> tuple[str, ...]:
    """Say how many samples the run knew, by id. Raises DataError where it trained on all of them."""
    parts = read_json(run / "split.json")["parts"]
    known = {name for part in ("train", "valid") for name in parts[part]}
    both = [sample.id for sample in samples if sample.id in known]
    if len(both) == len(samples):
        raise DataError(f"{run}: knew all {len(samples)} of these samples from training; name data it never saw")
    if not both:
        return ()
    return (
        f"{len(both)} of {len(samples)} samples bear an id that the run trained or validated on, such as {both[0]}: if"
        " they are the same images, no figure here is of new patients",
    )
