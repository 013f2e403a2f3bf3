"""Rows to batches of named signals: labels, cached features, description embeddings, tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from skinframe.data.columns import metadata_matrix
from skinframe.protocols import TokenRow
from skinframe.sample import Field, Sample


class Source(Protocol):
    """Cached features of one encoder."""

    def get(self, rows: Sequence[int], views: Sequence[int], signals: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Return the named signals [B, ...], all where none is named, for the given samples and dihedral views."""


@dataclass(kw_only=True)
class Feed:
    """Everything a batch is made of, indexed by the sample's row in the manifest."""

    ids: Sequence[str]
    labels: Tensor
    class_counts: Tensor
    attributes: Tensor
    text_ids: Tensor
    site_ids: Tensor | None = None
    metadata: Tensor | None = None  # [N, M]
    lesion_cover: Tensor | None = None  # [N, views, P], where a term reads it
    device: str = "cpu"
    images: dict[str, Source] = field(default_factory=dict)
    read: dict[str, Sequence[str]] = field(default_factory=dict)  # signals of each source that the model reads
    texts: dict[str, Tensor] = field(default_factory=dict)
    tokens: Sequence[TokenRow] | None = None
    collate: Callable[[Sequence[TokenRow]], Mapping[str, Tensor]] | None = None

    def length(self, row: int, images_only: int = 1) -> int:
        """Return how many tokens a sample takes (1 where no reasoner reads it)."""
        return self.tokens[row].length if self.tokens is not None else images_only

    def batch(self, rows: Sequence[int], views: Sequence[int], *, targets: bool) -> dict[str, Tensor]:
        """Return the signals of some samples; without `targets` the prompt ends at the answer position."""
        index = torch.as_tensor(list(rows))
        batch = {
            "batch.labels": self.labels[index],
            "batch.class_counts": self.class_counts,
            "batch.attributes": self.attributes[index],
            "batch.text_ids": self.text_ids[index],
            "batch.sample_ids": index,
        }
        if self.site_ids is not None:
            batch["batch.site_ids"] = self.site_ids[index]
        if self.metadata is not None:
            batch["batch.metadata"] = self.metadata[index]
        if self.lesion_cover is not None:
            batch["batch.lesion_cover"] = self.lesion_cover[index, torch.as_tensor(list(views))]
        for instance, source in self.images.items():
            batch |= {
                f"{instance}.{name}": value for name, value in source.get(rows, views, self.read.get(instance)).items()
            }
        batch |= {name: table[index] for name, table in self.texts.items()}
        if self.tokens is not None and self.collate is not None:
            chosen = [self.tokens[row] for row in rows]
            kept = chosen if targets else [TokenRow(row.prompt) for row in chosen]
            collated = self.collate(kept)
            batch |= collated
            batch["batch.rationale_targets"] = collated["rationale_targets"]
        return {name: value.to(self.device) for name, value in batch.items()}


def attribute_table(attributes: Sequence[Sequence[bool | None]], width: int) -> Tensor:
    """Return attributes [N, A] as floats, NaN where unknown."""
    table = np.full((len(attributes), width), np.nan, dtype=np.float32)
    for row, values in enumerate(attributes):
        for column, value in enumerate(values):
            if value is not None:
                table[row, column] = float(value)
    return torch.from_numpy(table)


def metadata_table(samples: Sequence[Sample], fields: Sequence[Field] | None) -> Tensor | None:
    """Return typed metadata [N, M] as float32; None where nothing reads any."""
    return None if fields is None else torch.from_numpy(metadata_matrix(samples, fields)[0].astype(np.float32))


def value_ids(values: Sequence[object]) -> Tensor:
    """Return one id a sample [N], equal where the values are equal, negative where there is none."""
    known: dict[object, int] = {}
    ids = [-1 if value is None else known.setdefault(value, len(known)) for value in values]
    return torch.tensor(ids, dtype=torch.int64)
