"""The feed of a run with some images or questions replaced; nothing is written to disk."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from skinframe.components import PromptText
from skinframe.data.feed import Feed
from skinframe.features.feature_extraction import extract_images
from skinframe.model.module import Model
from skinframe.planning.address import from_instance
from skinframe.preparing.prepared_data import Prepared
from skinframe.preparing.run_feed import pixel_sources

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

Change = Callable[["Image", str], "Image"]


@dataclass(frozen=True)
class Replaced:
    """Features [N, views, ...] of N pictures by signal; `place` maps a row of the run to one of them."""

    values: Mapping[str, Tensor]
    place: Mapping[int, int]

    def get(self, rows: Sequence[int], views: Sequence[int], signals: Sequence[str] | None = None) -> dict[str, Tensor]:
        chosen = [self.place[row] for row in rows]
        return {name: self.values[name][chosen, list(views)] for name in signals or self.values}


def with_pictures(prepared: Prepared, feed: Feed, words: Mapping[int, str], change: Change) -> Feed:
    """Return the feed of those rows with the features of changed pictures, extracted now, one picture at a time."""
    rows = list(words)
    place = {row: position for position, row in enumerate(rows)}
    keys = [hashlib.sha256(f"{prepared.keys[row]} {words[row]}".encode()).hexdigest() for row in rows]
    images, views = dict(feed.images), prepared.plan.recipe.evaluate.views

    def load(position: int) -> Image:
        row = rows[position]
        return change(prepared.image(row), words[row])

    with tempfile.TemporaryDirectory(prefix="skinframe-") as cache:  # attacked images enter no cache of the user's
        for name, encoder in prepared.plan.encoders.items():
            if name not in images:
                continue
            features = extract_images(
                encoder,
                keys,
                load,
                root=Path(cache),
                views=views,
                device=prepared.device,
                load_tower=partial(prepared.tower, name, encoder),
            )
            read = from_instance(prepared.plan.graph.used, name)
            read = [signal for signal in read if signal in features.shapes]
            each = [features.get(range(len(rows)), [view] * len(rows), read) for view in range(views)]
            stacked = {key: torch.stack([signals[key] for signals in each], dim=1) for key in each[0]}
            images[name] = Replaced(stacked, place)

    def load_row(row: int) -> Image:
        return change(prepared.image(row), words[row])

    return replace(feed, images=images, pixels=pixel_sources(prepared.plan, prepared.samples, load_row))


def with_questions(model: Model, feed: Feed, questions: Mapping[int, PromptText]) -> Feed:
    """Return the feed with the questions of those rows replaced; unchanged where there is no question."""
    if model.reasoner is None or feed.tokens is None or not questions:
        return feed
    tokens = list(feed.tokens)
    for row, question in questions.items():
        tokens[row] = model.reasoner.tokenize(question, None)
    return replace(feed, tokens=tokens)
