"""From a plan to what training reads: checked samples, a frozen split, cached features, a feed of batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image, fromarray
from torch import Tensor

from skinframe.components import Encoder, Tower
from skinframe.data.feed import Feed, attribute_table, value_ids
from skinframe.data.fold import Folds, calibration_fold
from skinframe.data.images import pixel_key
from skinframe.data.imagetable import ImageTable, image_table
from skinframe.data.manifest import check_samples
from skinframe.data.split import Split, from_parts
from skinframe.engine.display import Display
from skinframe.engine.divide import Divided, divide
from skinframe.features.extract import extract_images, extract_texts
from skinframe.model.assemble import Assembled
from skinframe.planning import Plan
from skinframe.sample import Sample
from skinframe.seeding import derive


@dataclass(kw_only=True)
class Prepared:
    """The data of a run. `features[instance]` are cached image signals, `texts[full name]` one row a sample.

    Rows index `samples`, from which quarantined images are gone; `places` are their indices in the image table.
    """

    plan: Plan
    images: ImageTable
    places: Sequence[int]
    samples: Sequence[Sample]
    keys: Sequence[str]
    split: Split
    near: Sequence[tuple[int, int]]  # rows of near-duplicates, which stand in one part
    searched: bool  # whether near-duplicates were looked for
    quarantined: Sequence[tuple[str, str]]
    device: str
    features: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, Tensor] = field(default_factory=dict)
    class_texts: dict[str, Tensor] = field(default_factory=dict)
    towers: dict[str, Tower] = field(default_factory=dict)

    @cached_property
    def folds(self) -> Folds:
        """The validation part as selection and calibration fold, which share no patient."""
        recipe = self.plan.recipe
        return calibration_fold(
            self.samples,
            self.split.valid,
            share=recipe.evaluate.calibration,
            seed=derive(recipe.seed, "calibration fold"),
            keys=self.keys,
            near=self.near,
            level=self.plan.parts.dataset.level,
        )

    def image(self, row: int) -> Image:
        """Decode one image. Raises DataError where its bytes have changed since they were hashed."""
        return self.images.image(self.places[row])

    def seen(self, row: int) -> Image:
        """Return the image as the reasoner's encoder sees it: heat lies over this square."""
        return self._eyes().seen(self.image(row))

    def seen_mask(self, row: int, name: str) -> NDArray[np.bool_] | None:
        """Return a pixel mask cropped as the encoder crops the image; None where the data has none."""
        mask = self.plan.parts.dataset.masks(self.samples[row]).get(name)
        if mask is None:
            return None
        picture = fromarray(mask.astype(np.uint8) * 255).convert("RGB")
        return np.asarray(self._eyes().seen(picture))[..., 0] > 127

    def _eyes(self) -> Encoder:
        known = encoders(self.plan)
        needs = self.plan.parts.reasoner.needs() if self.plan.uses_reasoner else ()
        return known[needs[0].split(".")[0]] if needs else next(iter(known.values()))

    def lesions(self, rows: Sequence[int]) -> list[str]:
        """Return the unit that has one diagnosis, however often it was photographed."""
        chosen = [self.samples[row] for row in rows]
        return [f"lesion:{s.lesion}" if s.lesion is not None else f"image:{s.id}" for s in chosen]

    def tower(self, name: str, encoder: Encoder) -> Tower:
        """Load a frozen encoder, once. An epoch after extraction never asks for it."""
        if name not in self.towers:
            self.towers[name] = encoder.load(self.device)
        return self.towers[name]

    @property
    def tower_calls(self) -> int:
        return sum(tower.calls for tower in self.towers.values())


def prepare(
    plan: Plan, folder: Path, cache: Path, device: str, display: Display, *, all_test: bool = False
) -> Prepared:
    """Check, hash, split and extract; `all_test` splits nothing off, for an external test.

    Raises DataError, DiskError or RecipeError before anything is trained.
    """
    dataset = plan.parts.dataset
    samples = list(dataset.samples())
    check_samples(samples, dataset.fields, dataset.classes, dataset.attributes)
    limits = plan.recipe.images
    with display.task("images") as task:
        table = image_table(
            dataset,
            samples,
            workers=limits.workers,
            policy=limits.policy,
            max_fraction=limits.max_fraction,
            max_pixels=limits.max_pixels,
            max_bytes=limits.max_bytes,
            draft=limits.draft,
            progress=lambda done: task.update(done, len(samples)),
        )
    places = [place for place, key in enumerate(table.keys) if key is not None]
    kept = [samples[place] for place in places]
    keys = [key for key in table.keys if key is not None]
    if all_test:
        divided = Divided(split=from_parts(kept, ["test"] * len(kept)), near=(), searched=False)
    else:
        divided = divide(plan, kept, keys, lambda row: table.image(places[row]), folder, cache, display)
    prepared = Prepared(
        plan=plan,
        images=table,
        places=places,
        samples=kept,
        keys=keys,
        split=divided.split,
        near=divided.near,
        searched=divided.searched,
        quarantined=table.quarantined,
        device=device,
    )
    for name, encoder in encoders(plan).items():
        _extract(prepared, name, encoder, cache, display)
    return prepared


def encoders(plan: Plan) -> Mapping[str, Encoder]:
    """Return the encoders that the plan reads, the reasoner's own among them."""
    everything = {**plan.parts.encoders, **plan.parts.reasoner.brings()}
    return {name: everything[name] for name in plan.wiring.encoders}


def _extract(prepared: Prepared, name: str, encoder: Encoder, cache: Path, display: Display) -> None:
    plan = prepared.plan
    signals = encoder.provides()
    with display.task(f"features of {name}") as task:
        if any(signal != "text_embedding" for signal in signals):
            prepared.features[name] = extract_images(
                encoder,
                [pixel_key(key, plan.recipe.images.draft) for key in prepared.keys],
                prepared.image,
                root=cache,
                views=plan.recipe.train.views,
                device=prepared.device,
                progress=task.update,
                load_tower=lambda: prepared.tower(name, encoder),
            )
        if "text_embedding" in signals:
            _extract_texts(prepared, name, encoder, cache)


def _extract_texts(prepared: Prepared, name: str, encoder: Encoder, cache: Path) -> None:
    plan = prepared.plan
    classes = plan.parts.dataset.classes
    class_texts = plan.parts.prompt.class_descriptions(classes)
    texts = [*descriptions(prepared), *class_texts]
    table = extract_texts(
        encoder, texts, root=cache, device=prepared.device, load_tower=lambda: prepared.tower(name, encoder)
    )
    prepared.texts[f"{name}.text_embedding"] = table[: len(prepared.samples)]
    prepared.class_texts[name] = table[len(prepared.samples) :]


def descriptions(prepared: Prepared) -> list[str]:
    """Return the clinical description of each sample; only training rows are ever read by a loss."""
    parts = prepared.plan.parts
    return [parts.prompt.description(s, parts.dataset.classes, parts.dataset.attributes) for s in prepared.samples]


def make_feed(prepared: Prepared, model: Assembled) -> Feed:
    """Return the feed of named signals over all samples."""
    plan, samples = prepared.plan, prepared.samples
    parts = plan.parts
    labels = torch.tensor([sample.label for sample in samples], dtype=torch.int64)
    train = labels[list(prepared.split.train)]
    feed = Feed(
        ids=[sample.id for sample in samples],
        labels=labels,
        class_counts=torch.bincount(train, minlength=len(parts.dataset.classes)),
        attributes=attribute_table([sample.attributes for sample in samples], len(parts.dataset.attributes)),
        text_ids=value_ids(descriptions(prepared)),
        site_ids=value_ids([sample.metadata.get("site") for sample in samples]),
        device=prepared.device,
        images={name: features for name, features in prepared.features.items() if _read(plan, name)},
        read={name: _read(plan, name) for name in prepared.features},
        texts={name: table for name, table in prepared.texts.items() if name in plan.wiring.used},
    )
    if model.reasoner is not None:
        fields = parts.dataset.fields
        feed.tokens = [
            model.reasoner.tokenize(
                parts.prompt.question(sample, fields),
                parts.prompt.rationale(sample, parts.dataset.classes, parts.dataset.attributes),
            )
            for sample in samples
        ]
        feed.collate = model.reasoner.collate
    return feed


def _read(plan: Plan, encoder: str) -> list[str]:
    """Return the image signals of an encoder that the model reads."""
    signals = encoders(plan)[encoder].provides()
    return [name for name in signals if name != "text_embedding" and f"{encoder}.{name}" in plan.wiring.used]
