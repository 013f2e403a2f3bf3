"""The feed of a run: every named signal that a batch is made of, by sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from skinframe.components import ColumnContext
from skinframe.data.feed import Feed
from skinframe.features.image_sources import PixelSource
from skinframe.model.module import Model
from skinframe.planning import Plan
from skinframe.planning.address import from_instance
from skinframe.preparing.prepared_data import Prepared

if TYPE_CHECKING:
    from PIL.Image import Image


def make_feed(prepared: Prepared, model: Model) -> Feed:
    """Return the feed of named signals over all samples."""
    plan, samples = prepared.plan, prepared.samples
    parts = plan.parts
    sources = {**prepared.features, **prepared.live}
    feed = Feed(
        ids=[sample.id for sample in samples],
        columns=parts.columns,
        context=column_context(prepared),
        images={name: source for name, source in sources.items() if _reads_images(plan, name)},
        pixels=pixel_sources(prepared, prepared.image),
        texts={address: table for address, table in prepared.texts.items() if address in plan.graph.used},
        device=prepared.device,
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
        feed.pad_id = model.reasoner.pad_id
    return feed


def pixel_sources(prepared: Prepared, load: Callable[[int], Image]) -> dict[str, PixelSource]:
    """Return what the trained encoders read: the image of each row, from `load`."""
    plan, ids = prepared.plan, [sample.id for sample in prepared.samples]
    return {name: PixelSource(plan.encoders[name], ids, load, plan.recipe.seed) for name in plan.graph.trained_encoders}


def column_context(prepared: Prepared) -> ColumnContext:
    """Return what the columns of a run are made from."""
    plan, dataset = prepared.plan, prepared.plan.parts.dataset
    return ColumnContext(
        samples=prepared.samples,
        split=prepared.split,
        classes=dataset.classes,
        attributes=dataset.attributes,
        fields=plan.metadata_fields or (),
        prompt=plan.parts.prompt,
        dataset=dataset,
        encoders=plan.encoders,
        views=plan.recipe.views,
        seed=plan.recipe.seed,
        inputs={"image_tokens": _patches(plan), "seen_mask": prepared.turned_mask},
    )


def _patches(plan: Plan) -> tuple[str, int] | None:
    """Return the encoder whose patches a head reads as `image_tokens`, and how many there are; None where none does."""
    read = (reads["image_tokens"] for reads in plan.graph.heads.values() if "image_tokens" in reads)
    address = next(read, None)
    if address is None:
        return None
    return address.instance, plan.encoders[address.instance].provides()[address.signal][0]


def _reads_images(plan: Plan, name: str) -> bool:
    """Say whether the model reads an image signal of an encoder, and not its texts alone."""
    texts = plan.encoders[name].text_signals()
    return any(signal not in texts for signal in from_instance(plan.graph.used, name))
