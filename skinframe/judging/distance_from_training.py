"""Another data set in tiers of distance from a run's training images, beside the run's own test images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skinframe.components import Dataset
from skinframe.curating.distance_tiers import placed
from skinframe.evaluation.predictions import Predictions, read_predictions
from skinframe.judging.prediction_source import Tiers
from skinframe.predicting.finished_run import plan_of_run, read_json
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
        groups=[*(f"own:{group}" for group in test.groups), *(f"other:{group}" for group in own.groups)],
    )
