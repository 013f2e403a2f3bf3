"""The cases page: which test images are shown, and what is shown of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skinframe.predicting.predict_images import grid
from skinframe.predicting.validation import Outcome
from skinframe.preparing.prepared_data import Prepared
from skinframe.reporting.images import encode
from skinframe.reporting.schema import Case

Floats = NDArray[np.float64]


def choose(labels: NDArray[np.int64], probabilities: Floats, count: int) -> list[tuple[int, str]]:
    """Return positions and why: the most confident mistakes, the surest of each class, the least sure."""
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    wrong = [int(i) for i in np.argsort(-confidence, kind="stable") if predicted[i] != labels[i]]
    chosen: dict[int, str] = dict.fromkeys(wrong[: count // 3], "confident mistake")
    for k in range(probabilities.shape[1]):
        right = [int(i) for i in np.flatnonzero((labels == k) & (predicted == k)) if int(i) not in chosen]
        if right and len(chosen) < count:
            chosen[max(right, key=lambda i: (confidence[i], -i))] = "surest of its class"
    for i in np.argsort(confidence, kind="stable"):
        if len(chosen) >= count:
            break
        chosen.setdefault(int(i), "least sure")
    return list(chosen.items())


def make_case(
    prepared: Prepared, outcome: Outcome, texts: Sequence[str], heat: Floats | None, position: int, note: str
) -> Case:
    """Return one case; the image is re-encoded from pixels, as the encoder saw it."""
    plan, test = prepared.plan, outcome.test
    row = prepared.split.test[position]
    sample = prepared.samples[row]
    posterior = plan.parts.dataset.posterior(sample)
    return Case(
        id=sample.id,
        image=encode(np.asarray(prepared.seen(row))),
        probabilities=tuple(float(p) for p in test.calibrated[position]),
        before=tuple(float(p) for p in test.probabilities[position]),
        label=sample.label,
        prediction=int(test.calibrated[position].argmax()),
        heat=None if heat is None else grid(heat[position]),
        metadata={k: "not recorded" if v is None else _shown(v) for k, v in sample.metadata.items()},
        rationale=texts[position] or None,
        target_rationale=plan.parts.prompt.rationale(sample, plan.parts.dataset.classes, plan.parts.dataset.attributes),
        posterior=None if posterior is None else tuple(float(p) for p in posterior),
        note=note,
    )


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
