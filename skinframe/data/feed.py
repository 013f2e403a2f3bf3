"""Rows to batches of named signals: columns, cached image features, description embeddings, tokens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from skinframe.components import Column, ColumnContext
from skinframe.data.columns import Get
from skinframe.data.token_padding import lay_out
from skinframe.planning.address import Address, is_full, pixels
from skinframe.planning.graph_nodes import PROMPT
from skinframe.reasoner_module import TokenRow

LAYOUT = "layout"  # how a column of tokens is handed the layout of the token rows


class FeatureSource(Protocol):
    """Image features of one encoder, cached or computed now."""

    def get(self, rows: Sequence[int], views: Sequence[int], signals: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Return the named signals [B, ...], all where none is named, for the given samples and dihedral views."""


class PixelFeed(Protocol):
    """Pixels for one encoder in training."""

    def get(self, rows: Sequence[int], views: Sequence[int], epoch: int | None) -> Tensor:
        """Return pixels [B, 3, H, W]; `epoch` None is evaluation, without augmentation."""


@dataclass(kw_only=True)
class Feed:
    """Everything that a batch is made of, indexed by the sample's row in the manifest.

    A batch holds what is wanted of it and nothing else: a column is bound when a batch first wants it.
    """

    ids: Sequence[str]
    columns: Mapping[str, Column] = field(default_factory=dict)
    context: ColumnContext | None = None  # what the columns are bound to
    images: Mapping[str, FeatureSource] = field(default_factory=dict)
    pixels: Mapping[str, PixelFeed] = field(default_factory=dict)  # of the encoders in training
    texts: Mapping[Address, Tensor] = field(default_factory=dict)
    tokens: Sequence[TokenRow] | None = None
    pad_id: int = 0  # fills token rows to one width
    device: str = "cpu"
    _bound: dict[str, Get] = field(default_factory=dict, init=False, repr=False)

    def length(self, row: int, images_only: int = 1) -> int:
        """Return how many tokens a sample takes (1 where no reasoner reads it)."""
        return self.tokens[row].length if self.tokens is not None else images_only

    def is_frozen(self, name: str) -> bool:
        """Say whether a signal of a batch is the output of a frozen encoder."""
        address = Address.parse(name) if is_full(name) else None
        return address is not None and (address in self.texts or address.instance in self.images)

    def batch(
        self, rows: Sequence[int], views: Sequence[int], want: Collection[Address], epoch: int | None = None
    ) -> dict[str, Tensor]:
        """Return the wanted signals of some samples under their addresses, and the layout of the prompt if wanted.

        Only where a column of rationale tokens is wanted do the token rows go past the answer position. A training step
        gives its `epoch`, which augmentation depends on; evaluation gives none.
        """
        batch: dict[str, Tensor] = {}
        wanted = [
            self.columns[address.signal] for address in want if address.is_column and address.signal in self.columns
        ]
        layout: Mapping[str, Tensor] = {}
        if PROMPT in want and self.tokens is not None:
            targets = any(column.scope == "token" for column in wanted)
            chosen = [self.tokens[row] for row in rows]
            layout = lay_out(chosen if targets else [row.without("rationale") for row in chosen], self.pad_id)
            batch |= layout
        for column in wanted:
            name = column.signal.name
            batch[Address(PROMPT.instance, name)] = self._getter(name, column, layout)(rows, views, epoch or 0)
        by_encoder: dict[str, list[str]] = defaultdict(list)
        for address in want:
            if address in self.texts:
                batch[address] = self.texts[address][torch.as_tensor(list(rows))]
            elif address.instance in self.images:
                by_encoder[address.instance].append(address.signal)
        for encoder in sorted({address.instance for address in want} & set(self.pixels)):
            batch[pixels(encoder)] = self.pixels[encoder].get(rows, views, epoch)
        for encoder, signals in by_encoder.items():
            found = self.images[encoder].get(rows, views, sorted(signals))
            batch |= {Address(encoder, signal): value for signal, value in found.items()}
        return {name: value.to(self.device) for name, value in batch.items()}

    def _getter(self, name: str, column: Column, layout: Mapping[str, Tensor]) -> Get:
        """Return a column bound to the samples; one of tokens is bound to the layout of this batch."""
        assert self.context is not None
        if column.scope == "token":
            return column.bind(replace(self.context, inputs={**self.context.inputs, LAYOUT: layout}))
        if name not in self._bound:
            self._bound[name] = column.bind(self.context)
        return self._bound[name]
