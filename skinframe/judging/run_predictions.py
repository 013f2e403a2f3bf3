"""Predictions of a finished run: of its own test images, or of another data set with its distance tiers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skinframe.components import Dataset
from skinframe.curating.distance_tiers import placed
from skinframe.errors import DataError, did_you_mean
from skinframe.evaluation.predictions import Predictions, read_predictions
from skinframe.judging.evaluation_options import EvaluationOptions
from skinframe.judging.prediction_source import (
    Fold,
    PredictionSource,
    Tiers,
    Words,
    judged_of,
    tiers_of,
    unknown_lesions,
)
from skinframe.judging.reference_models import KEPT, own_references, references_elsewhere
from skinframe.predicting.external_dataset import predict_external
from skinframe.predicting.finished_run import plan_of_run, read_json
from skinframe.predicting.trained_on import trained_on
from skinframe.progress import Display
from skinframe.sample import Sample

OWN = "own test images"


def placed_tiers(
    run: Path, plugins: Sequence[Path], dataset: Dataset, samples: Sequence[Sample], own: Predictions
) -> Tiers | None:
    """Place another set by its institutions and modalities; None where the sets do not state theirs.

    The reference is the run's own test images: other patients, so its draws are independent of those of the other set.
    """
    plan = plan_of_run(run, plugins)
    if any(requirement.kind == "data" for requirement in plan.missing):
        return None
    trained = set(read_json(run / "split.json")["parts"]["train"])
    home = plan.parts.dataset
    tiers = placed(
        [dict(dataset.context(sample)) for sample in samples],
        [dict(home.context(sample)) for sample in home.samples() if sample.id in trained],
    )
    if set(tiers) <= {"unplaced"}:
        return None
    names = np.empty(len(samples), dtype=object)
    for name, rows in tiers.items():
        names[rows] = name
    test, _ = read_predictions(run / "predictions" / "test.parquet")
    return Tiers(
        title="institution and modality",
        names=[*[OWN] * len(test.ids), *names.tolist()],
        reference=OWN,
        labels=np.concatenate([test.labels, own.labels]),
        probabilities=np.concatenate([test.calibrated, own.calibrated]),
        by_distance=True,
        groups=[*(f"own:{group}" for group in test.groups), *(f"other:{group}" for group in own.groups)],
    )


def of_run(
    run: Path,
    options: EvaluationOptions,
    overrides: Sequence[str],
    plugins: Sequence[Path],
    cache: Path,
    display: Display,
    out: Path,
) -> PredictionSource:
    """Take a run's test predictions, or predict the data set that `overrides` name. Raises DataError, RecipeError."""
    valid, classes = read_predictions(run / "predictions" / "valid.parquet")
    saved = read_json(run / "calibrator.json")
    plan = plan_of_run(run, plugins, overrides)
    if overrides:
        home = plan_of_run(run, plugins)
        fields = plan.metadata_fields or home.parts.dataset.fields
        own, prepared, warnings = predict_external(run, plan, cache, display, out, fields)
        samples = [prepared.samples[row] for row in prepared.split.test]
        name = f"{plan.recipe.name} on {plan.recipe.data.use}, another data set"
        references = tuple(references_elsewhere(prepared, run, fields))
        if not (run / KEPT).is_file():
            warnings = (
                *warnings,
                "this run kept no probes (an earlier version made it): only simpler references",
            )
    else:
        home, references = plan, own_references(run)
        own, _ = read_predictions(run / "predictions" / "test.parquet")
        samples, warnings = [], ()
        name = f"{plan.recipe.name} on its own test images"
        if options.subgroups or options.tier:
            known = {sample.id: sample for sample in plan.parts.dataset.samples()}
            samples = [known[one] for one in own.ids]
    tiers = None
    if options.tier is not None:
        tiers = tiers_of(options.tier, _field(samples, "--tier", options.tier[0]), own, own.calibrated)
    elif overrides:
        tiers = placed_tiers(run, plugins, plan.parts.dataset, samples, own)
    fitted = set(saved.get("fitted_on", valid.ids))
    rows = np.array([one in fitted for one in valid.ids])
    return PredictionSource(
        title=name,
        scale=plan.recipe.scale,
        sentence=plan.parts.dataset.summary(),
        judged=judged_of(classes, own, options, {}, plan.recipe.seed),
        ids=own.ids,
        logits=own.logits,
        rows={
            "this run": (own.calibrated, valid.calibrated[rows]),
            "this run, before calibration": (own.probabilities, valid.probabilities[rows]),
        },
        fold=Fold(
            valid.labels[rows],
            valid.logits[rows],
            [group for group, kept in zip(valid.groups, rows, strict=True) if kept],
            "the run's calibration fold",
            bool(saved.get("own_fold", False)),
        ),
        fields={name: _field(samples, "--subgroup", name) for name in options.subgroups},
        tiers=tiers,
        fingerprint=plan.fingerprint[:16],
        level=plan.parts.dataset.level,
        synthetic=plan.parts.dataset.synthetic,
        warnings=(*warnings, *unknown_lesions(own)),
        references=references,
        malignant=home.parts.dataset.malignant,
        class_titles=home.parts.dataset.class_titles,
        trained_on=trained_on(run, home),
        external=bool(overrides),
    )


def _field(samples: Sequence[Sample], option: str, name: str) -> Words:
    """Return a recorded field; a number is put into bands of twenty. Raises DataError where there is none."""
    known = samples[0].metadata if samples else {}
    if name not in known:
        raise DataError(f"{option} {name}: the data set has no such field{did_you_mean(name, known)}")
    return [_band(sample.metadata.get(name)) for sample in samples]


def _band(value: str | float | None) -> str | None:
    if not isinstance(value, int | float):
        return value
    low = 20 * int(value // 20)
    return f"{low} to {low + 19}"
