"""The rows that a model must be read against: prior, zero-shot, linear probes, and the ceiling where it is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skinframe.data.columns import metadata_matrix
from skinframe.evaluation.baselines import LinearProbe, bayes, linear_probe, prior, zero_shot
from skinframe.predicting.validation_metrics import labels_of
from skinframe.preparing.prepared_data import Prepared

Floats = NDArray[np.float64]
# name, note, role, test probabilities [N, C], and those of validation where the row was fitted to something
Reference = tuple[str, str, str, Floats, Floats | None]

GAMMA = 2.0  # the usual one, and the main recipe's


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


def embeddings(prepared: Prepared, name: str, rows: tuple[int, ...], view: int = 0) -> NDArray[np.float64]:
    """Return the pooled features [N, D] of an encoder, upright unless another dihedral view is named."""
    found = prepared.features[name].get(rows, [view] * len(rows), ["image_embedding"])["image_embedding"]
    return np.asarray(found.double().numpy())


def _zero_shot(prepared: Prepared, name: str) -> Reference:
    images = embeddings(prepared, name, prepared.split.test)
    texts = prepared.class_texts[name].double().numpy()
    scale = float(getattr(prepared.tower(name, prepared.plan.parts.encoders[name]), "logit_scale", 100.0))
    note = f"{name}: image against one description a class, nothing trained"
    return f"zero-shot {name}", note, "baseline", zero_shot(images, texts, scale), None


def focal_probes(prepared: Prepared) -> Iterator[Reference]:
    """Yield the linear probe with metadata under focal loss, for the table of calibration; none without probes."""
    for name in prepared.features if prepared.plan.recipe.evaluate.probes else ():
        if "image_embedding" in prepared.features[name].shapes:
            fitted = _Frozen(prepared, name).probe(with_metadata=True, balanced=False, gamma=GAMMA)
            note = f"as the linear probe + metadata of {name}, with focal loss (gamma {GAMMA:g}) for cross entropy"
            yield "focal probe + metadata", note, "baseline", fitted.test, fitted.valid


def _probes(prepared: Prepared, name: str) -> Iterator[Reference]:
    frozen = _Frozen(prepared, name)
    for with_metadata in (False, True):
        for balanced in (False, True):
            title = "linear probe" + (" + metadata" if with_metadata else "") + (", class-balanced" if balanced else "")
            fitted = frozen.probe(with_metadata=with_metadata, balanced=balanced)
            note = f"logistic regression on the pooled frozen features of {name}"
            note += " and the same metadata" if with_metadata else ""
            yield title, note, "baseline", fitted.test, fitted.valid


class _Frozen:
    """What a probe may know: an encoder's pooled features and the typed metadata of each part of the split."""

    def __init__(self, prepared: Prepared, name: str) -> None:
        split, fields = prepared.split, prepared.plan.parts.dataset.fields
        parts = (split.train, split.valid, split.test)
        views = prepared.plan.recipe.evaluate.views
        self.features = [embeddings(prepared, name, split.train)]
        for rows in (split.valid, split.test):  # [views, N, D]: asked as often as the run is
            self.features.append(np.stack([embeddings(prepared, name, rows, view) for view in range(views)]))
        self.metadata = [metadata_matrix([prepared.samples[row] for row in rows], fields)[0] for rows in parts]
        self.labels = [labels_of(prepared, rows) for rows in parts]
        # the penalty is chosen where the epoch is, so that the calibration fold stays new to a probe as well
        self.chooses = np.isin(split.valid, prepared.folds.selection)
        self.classes = len(prepared.plan.parts.dataset.classes)
        self.seed = prepared.plan.recipe.seed

    def probe(self, *, with_metadata: bool, balanced: bool, gamma: float = 0.0) -> LinearProbe:
        told = zip(self.features, self.metadata, strict=True)
        train, valid, test = [_joined(*pair) for pair in told] if with_metadata else self.features
        return linear_probe(
            train,
            self.labels[0],
            valid,
            self.labels[1],
            test,
            classes=self.classes,
            balanced=balanced,
            seed=self.seed,
            chooses=self.chooses,
            gamma=gamma,
        )


def _joined(features: Floats, metadata: Floats) -> Floats:
    """Return [..., N, D + M] from features [..., N, D] and metadata [N, M]."""
    return np.concatenate([features, np.broadcast_to(metadata, (*features.shape[:-1], metadata.shape[-1]))], axis=-1)
