"""The rows that a model must be read against: prior, zero-shot, linear probes, and the ceiling where it is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skinframe.engine.measure import labels_of
from skinframe.engine.prepared import Prepared
from skinframe.evaluation.baselines import bayes, linear_probe, metadata_matrix, prior, zero_shot

Floats = NDArray[np.float64]
# name, note, role, test probabilities [N, C], and those of validation where the row was fitted to something
Reference = tuple[str, str, str, Floats, Floats | None]


def references(prepared: Prepared) -> Iterator[Reference]:
    """Yield each reference row that this run's encoders and data allow."""
    plan = prepared.plan
    classes = len(plan.parts.dataset.classes)
    train, test = prepared.split.train, prepared.split.test
    yield (
        "class prior",
        "class shares of the training split",
        "baseline",
        prior(labels_of(prepared, train), classes, len(test)),
        None,
    )
    pooled = [name for name in prepared.features if "image_embedding" in prepared.features[name].shapes]
    for name in pooled:
        if name in prepared.class_texts:
            yield _zero_shot(prepared, name)
        if plan.recipe.evaluate.probes:
            yield from _probes(prepared, name)
    known = bayes(plan.parts.dataset, [prepared.samples[row] for row in test])
    if known is not None:
        yield "Bayes classifier", "the data's own law: nothing can do better on average", "reference", known, None


def embeddings(prepared: Prepared, name: str, rows: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the pooled features [N, D] of an encoder, upright view."""
    found = prepared.features[name].get(rows, [0] * len(rows), ["image_embedding"])["image_embedding"]
    return np.asarray(found.double().numpy())


def _zero_shot(prepared: Prepared, name: str) -> Reference:
    images = embeddings(prepared, name, prepared.split.test)
    texts = prepared.class_texts[name].double().numpy()
    scale = float(getattr(prepared.tower(name, prepared.plan.parts.encoders[name]), "logit_scale", 100.0))
    note = f"{name}: image against one description a class, nothing trained"
    return f"zero-shot {name}", note, "baseline", zero_shot(images, texts, scale), None


def _probes(prepared: Prepared, name: str) -> Iterator[Reference]:
    split, seed = prepared.split, prepared.plan.recipe.seed
    parts = (split.train, split.valid, split.test)
    frozen = [embeddings(prepared, name, rows) for rows in parts]
    fields = prepared.plan.parts.dataset.fields
    told = [metadata_matrix([prepared.samples[row] for row in rows], fields)[0] for rows in parts]
    labels = [labels_of(prepared, rows) for rows in parts]
    # the penalty is chosen where the epoch is, so that the calibration fold stays new to a probe as well
    chooses = np.isin(split.valid, prepared.folds.selection)
    for with_metadata in (False, True):
        x = [np.hstack(pair) for pair in zip(frozen, told, strict=True)] if with_metadata else frozen
        for balanced in (False, True):
            title = "linear probe" + (" + metadata" if with_metadata else "") + (", class-balanced" if balanced else "")
            count = len(prepared.plan.parts.dataset.classes)
            fitted = linear_probe(
                x[0], labels[0], x[1], labels[1], x[2], classes=count, balanced=balanced, seed=seed, chooses=chooses
            )
            note = f"logistic regression on the pooled frozen features of {name}"
            yield (
                title,
                note + (" and the same metadata" if with_metadata else ""),
                "baseline",
                fitted.test,
                fitted.valid,
            )
