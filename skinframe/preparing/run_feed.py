"""The feed of a run: every named signal that a batch is made of, by sample."""

from __future__ import annotations

import torch

from skinframe.data.feed import Feed, attribute_table, metadata_table, value_ids
from skinframe.model.assemble import Assembled
from skinframe.planning import Plan
from skinframe.preparing.prepared_data import Prepared, descriptions, encoders


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
        metadata=metadata_table(samples, plan.told),
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
