"""The rows that a model must be read against: prior, zero-shot, linear probes, and the ceiling where it is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from skinframe.atomic_write import write_atomic
from skinframe.data.columns import metadata_matrix
from skinframe.errors import DataError
from skinframe.evaluation.baselines import LinearProbe, ProbeWeights, bayes, linear_probe, prior, zero_shot
from skinframe.judging.prediction_source import Reference
from skinframe.predicting.validation_metrics import labels_of
from skinframe.preparing.prepared_data import Prepared
from skinframe.safetensors_header import safetensors_header
from skinframe.sample import Field
from skinframe.untrusted_files import parse_json, read_bytes, well_formed

Floats = NDArray[np.float64]
KEPT = "references.safetensors"  # what the references of a run need to be judged on other images

PRIOR, UNIFORM = "class prior", "uniform guess"
_POOLED = "logistic regression on the pooled frozen features of {}"
PROBES = (  # title, note, with metadata, class-balanced
    ("linear probe", _POOLED, False, False),
    ("linear probe, class-balanced", _POOLED, False, True),
    ("linear probe + metadata", f"{_POOLED} and the same metadata", True, False),
    ("linear probe + metadata, class-balanced", f"{_POOLED} and the same metadata", True, True),
)
GAMMA = 2.0  # the usual one, and the main recipe's


def references(prepared: Prepared, folder: Path | None = None) -> tuple[Reference, ...]:
    """Return each reference row that this run's encoders and data allow, and keep them in `folder`, if given."""
    kept: dict[str, Any] = {}
    rows = tuple(_fitted(prepared, kept))
    if folder is not None:
        kept |= {f"test/{title}": table for title, _, _, table, _ in rows}
        # one key only: safetensors does not keep the order of several, and runs must be equal to the byte
        about = {"rows": json.dumps([[title, note, role] for title, note, role, _, _ in rows])}
        arrays = {name: np.ascontiguousarray(value) for name, value in kept.items()}
        write_atomic(folder / KEPT, save(arrays, metadata=about))
    return rows


def _fitted(prepared: Prepared, kept: dict[str, Any]) -> Iterator[Reference]:
    """Yield the references; what it takes to ask them elsewhere is added to `kept`."""
    plan = prepared.plan
    classes = len(plan.parts.dataset.classes)
    train, test = prepared.split.train, prepared.split.test
    labels = labels_of(prepared, train)
    kept["prior"] = prior(labels, classes, 1)[0]
    yield PRIOR, "class shares of the training split", "baseline", prior(labels, classes, len(test)), None
    pooled = [name for name in prepared.features if "image_embedding" in prepared.features[name].shapes]
    for name in pooled:
        if name in prepared.class_texts:
            yield _zero_shot(prepared, name)
        if plan.recipe.evaluate.probes:
            yield from _probes(prepared, name, kept, _suffix(pooled, name))
    known = bayes(plan.parts.dataset, [prepared.samples[row] for row in test])
    if known is not None:
        yield "Bayes classifier", "the data's own law: nothing can do better on average", "reference", known, None


def own_references(run: Path) -> tuple[Reference, ...]:
    """Return the reference rows of a finished run on its own test images, as they were kept with it."""
    path = run / KEPT
    kept = _kept(run)
    if not kept:
        return ()
    with well_formed(path):
        with safe_open(path, framework="numpy") as file:
            about = parse_json((file.metadata() or {}).get("rows", "[]"), path)
        return tuple((str(title), note, role, kept[f"test/{title}"], None) for title, note, role in about)


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


def references_elsewhere(prepared: Prepared, run: Path, fields: Sequence[Field]) -> Iterator[Reference]:
    """Yield the reference rows of a finished run on other images: as they were fitted, on its own training images.

    `prepared` holds the other images, all of them test; `fields` are the metadata fields that the run was trained with.
    """
    classes, rows = len(prepared.plan.parts.dataset.classes), prepared.split.test
    yield UNIFORM, "the same probability for every class", "baseline", np.full((len(rows), classes), 1 / classes), None
    kept = _kept(run)
    if "prior" in kept:
        with well_formed(run / KEPT):
            shares = np.tile(kept["prior"].reshape(classes), (len(rows), 1))
        yield PRIOR, "class shares of the run's training split", "baseline", shares, None
    metadata = metadata_matrix([prepared.samples[row] for row in rows], fields)[0]
    pooled_names = [name for name in prepared.features if "image_embedding" in prepared.features[name].shapes]
    for name in pooled_names:
        if name in prepared.class_texts:
            yield _zero_shot(prepared, name)
        views = range(prepared.plan.recipe.evaluate.views)
        pooled = np.stack([embeddings(prepared, name, rows, view) for view in views])
        for title, note, with_metadata, balanced in PROBES:
            key = f"{name}/{int(with_metadata)}{int(balanced)}"
            if f"{key}/w" not in kept:
                continue
            features = _joined(pooled, metadata) if with_metadata else pooled
            with well_formed(run / KEPT):
                mean, spread, w, seen = (kept[f"{key}/{part}"] for part in ("mean", "spread", "w", "seen"))
                predicted = ProbeWeights(mean, spread, w, seen, classes).predict(features)
            fitted = f"{note.format(name)}, fitted on the run's training images"
            yield title + _suffix(pooled_names, name), fitted, "baseline", predicted, None


def _kept(run: Path) -> dict[str, Any]:
    path = run / KEPT
    if not path.exists():  # a run of an earlier version kept none
        return {}
    try:
        safetensors_header(path)
        return dict(load(read_bytes(path)))
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise DataError(f"{run / KEPT}: cannot be read ({type(error).__name__}); verify the run") from error


def _suffix(pooled: Sequence[str], name: str) -> str:
    """Return the encoder's name where there are several: no two rows may have one title."""
    return f" ({name})" if len(pooled) > 1 else ""


def _probes(prepared: Prepared, name: str, kept: dict[str, Any], suffix: str) -> Iterator[Reference]:
    frozen = _Frozen(prepared, name)
    for title, note, with_metadata, balanced in PROBES:
        fitted = frozen.probe(with_metadata=with_metadata, balanced=balanced)
        if fitted.weights is not None:
            key = f"{name}/{int(with_metadata)}{int(balanced)}"
            kept |= {f"{key}/{part}": getattr(fitted.weights, part) for part in ("mean", "spread", "w", "seen")}
        yield title + suffix, note.format(name), "baseline", fitted.test, fitted.valid


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
