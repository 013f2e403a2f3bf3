"""Feeds: every named signal that a batch is made of, by sample, for a run's own samples and for new images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from skinframe.components import ColumnContext
from skinframe.components.column import SplitRows
from skinframe.data.feed import FeatureSource, Feed
from skinframe.features.image_sources import PixelSource
from skinframe.model.module import Model
from skinframe.planning import Plan
from skinframe.planning.address import Address, from_instance
from skinframe.preparing.prepared_data import Prepared
from skinframe.sample import Sample

if TYPE_CHECKING:
    from PIL.Image import Image


def make_feed(prepared: Prepared, model: Model) -> Feed:
    """Return the feed of named signals over all samples of a run, target rationales among them."""
    plan, sources = prepared.plan, {**prepared.features, **prepared.live}
    return assemble_feed(
        plan,
        model,
        column_context(plan, prepared.samples, prepared.split, prepared.turned_mask),
        images={name: source for name, source in sources.items() if _reads_images(plan, name)},
        load=prepared.image,
        texts={address: table for address, table in prepared.texts.items() if address in plan.graph.used},
        device=prepared.device,
        rationales=True,
    )


def assemble_feed(
    plan: Plan,
    model: Model,
    context: ColumnContext,
    *,
    images: Mapping[str, FeatureSource],
    load: Callable[[int], Image],
    device: str,
    texts: Mapping[Address, Tensor] | None = None,
    rationales: bool = False,
) -> Feed:
    """Return the feed over the samples of `context`.

    `images` are the features of the frozen encoders, `load` the image of a row, which encoders in training read. Token
    rows hold the question, and with `rationales` the target rationale behind it.
    """
    parts, samples = plan.parts, context.samples
    feed = Feed(
        ids=[sample.id for sample in samples],
        columns=parts.columns,
        context=context,
        images=images,
        pixels=pixel_sources(plan, samples, load),
        texts=texts or {},
        device=device,
    )
    if model.reasoner is not None:
        fields, classes, attributes = parts.dataset.fields, parts.dataset.classes, parts.dataset.attributes
        feed.tokens = [
            model.reasoner.tokenize(
                parts.prompt.question(sample, fields),
                parts.prompt.rationale(sample, classes, attributes) if rationales else None,
            )
            for sample in samples
        ]
        feed.pad_id = model.reasoner.pad_id
    return feed


def pixel_sources(plan: Plan, samples: Sequence[Sample], load: Callable[[int], Image]) -> dict[str, PixelSource]:
    """Return what the trained encoders read: the image of each row, from `load`."""
    ids = [sample.id for sample in samples]
    return {name: PixelSource(plan.encoders[name], ids, load, plan.recipe.seed) for name in plan.graph.trained_encoders}


def column_context(
    plan: Plan, samples: Sequence[Sample], split: SplitRows, seen_mask: Callable[..., Any] | None = None
) -> ColumnContext:
    """Return what columns are made from; `seen_mask` is needed by those that read the data set's masks."""
    dataset = plan.parts.dataset
    return ColumnContext(
        samples=samples,
        split=split,
        classes=dataset.classes,
        attributes=dataset.attributes,
        fields=plan.metadata_fields or (),
        prompt=plan.parts.prompt,
        dataset=dataset,
        encoders=plan.encoders,
        views=plan.recipe.views,
        seed=plan.recipe.seed,
        inputs={"image_tokens": _patches(plan), "seen_mask": seen_mask},
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
