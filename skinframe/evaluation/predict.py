"""What a model says of some samples: logits, rationales, heat. Changes no weight and reads no label."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skinframe.components import Explainer
from skinframe.data.batches import micro_batches
from skinframe.data.feed import Feed
from skinframe.evaluation.softmax import mean_of_views
from skinframe.model.assemble import Assembled

Watch = Callable[[int, int], None]


def predict_logits(
    model: Assembled, feed: Feed, rows: Sequence[int], logits: str, max_tokens: int, views: int = 1
) -> NDArray[np.float64]:
    """Return logits [N, C] in the order of `rows`; `logits` is the full name of the signal.

    Over several dihedral `views`: the mean of their log probabilities.
    """
    return mean_of_views([_of_view(model, feed, rows, logits, max_tokens, view) for view in range(views)])


def _of_view(
    model: Assembled, feed: Feed, rows: Sequence[int], logits: str, max_tokens: int, view: int
) -> NDArray[np.float64]:
    model.eval()
    found: dict[int, NDArray[np.float64]] = {}
    with torch.inference_mode():
        for micro in _micro(feed, rows, max_tokens):
            batch = feed.batch(micro, [view] * len(micro), targets=False)
            values = model(batch, frozenset({"hidden"}))[logits].double().cpu().numpy()
            found |= dict(zip(micro, values, strict=True))
    return np.stack([found[row] for row in rows])


def write_rationales(
    model: Assembled, feed: Feed, rows: Sequence[int], max_new_tokens: int, max_tokens: int, watch: Watch
) -> list[str]:
    """Return one greedy rationale a row; empty texts where the recipe has no reasoner."""
    if model.reasoner is None:
        return [""] * len(rows)
    model.eval()
    found: dict[int, str] = {}
    with torch.inference_mode():
        for micro in _micro(feed, rows, max_tokens):
            batch = feed.batch(micro, [0] * len(micro), targets=False)
            texts = model.reasoner.generate(batch, max_new_tokens)
            found |= dict(zip(micro, texts, strict=True))
            watch(len(found), len(rows))
    return [found[row] for row in rows]


def explain(
    model: Assembled,
    feed: Feed,
    rows: Sequence[int],
    classes: Sequence[int],
    tokens: str,
    logits: str,
    explainer: Explainer,
    max_tokens: int,
) -> NDArray[np.float64]:
    """Return heat [N, P] over the image tokens of signal `tokens`, for the given class of each row."""
    model.eval()
    wanted = dict(zip(rows, classes, strict=True))
    found: dict[int, NDArray[np.float64]] = {}
    for micro in _micro(feed, rows, max_tokens):
        batch = feed.batch(micro, [0] * len(micro), targets=False)

        def forward(image_tokens: Tensor, batch: dict[str, Tensor] = batch) -> Tensor:
            given: Tensor = model({**batch, tokens: image_tokens}, frozenset({"hidden"}))[logits]
            return given

        chosen = torch.tensor([wanted[row] for row in micro], device=feed.device)
        heat = explainer.explain(forward, batch[tokens], chosen).double().cpu().numpy()
        found |= dict(zip(micro, heat, strict=True))
    return np.stack([found[row] for row in rows])


def _micro(feed: Feed, rows: Sequence[int], max_tokens: int) -> list[list[int]]:
    lengths = {row: feed.length(row) for row in rows}
    table = [lengths.get(row, 0) for row in range(max(rows) + 1)] if rows else []
    return micro_batches(rows, table, max_tokens)
