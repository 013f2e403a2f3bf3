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
from skinframe.model.module import Model

Watch = Callable[[int, int], None]


def predict_logits(
    model: Model, feed: Feed, rows: Sequence[int], max_tokens: int, views: int = 1
) -> NDArray[np.float64]:
    """Return the graph's class scores [N, C] in the order of `rows`.

    Over several dihedral `views`: the mean of their log probabilities.
    """
    return mean_of_views([_of_view(model, feed, rows, max_tokens, view) for view in range(views)])


def _of_view(model: Model, feed: Feed, rows: Sequence[int], max_tokens: int, view: int) -> NDArray[np.float64]:
    model.eval()
    scores, want = model.graph.roots.scores, model.graph.ancestors(model.graph.roots_of("scores"))
    found: dict[int, NDArray[np.float64]] = {}
    with torch.inference_mode():
        for micro in _micro(feed, rows, max_tokens):
            batch = feed.batch(micro, [view] * len(micro), want)
            values = model(batch, want)[scores].double().cpu().numpy()
            found |= dict(zip(micro, values, strict=True))
    return np.stack([found[row] for row in rows])


def write_rationales(
    model: Model, feed: Feed, rows: Sequence[int], max_new_tokens: int, max_tokens: int, watch: Watch
) -> list[str]:
    """Return one greedy rationale a row; empty texts where the recipe has no reasoner."""
    if model.reasoner is None or model.graph.roots.text is None:
        return [""] * len(rows)
    model.eval()
    want = model.graph.ancestors(model.graph.roots_of("text"))
    found: dict[int, str] = {}
    with torch.inference_mode():
        for micro in _micro(feed, rows, max_tokens):
            batch = feed.batch(micro, [0] * len(micro), want)
            texts = model.reasoner.generate(batch, max_new_tokens)
            found |= dict(zip(micro, texts, strict=True))
            watch(len(found), len(rows))
    return [found[row] for row in rows]


def explain(
    model: Model,
    feed: Feed,
    rows: Sequence[int],
    classes: Sequence[int],
    explainer: Explainer,
    max_tokens: int,
) -> NDArray[np.float64]:
    """Return heat [N, P] over the image tokens of the graph's focus, for the given class of each row.

    Raises ValueError where the graph has no focus.
    """
    focus, scores = model.graph.roots.focus, model.graph.roots.scores
    if focus is None:
        raise ValueError("the graph has no image signal that a heat map could lie over")
    model.eval()
    want = model.graph.ancestors(model.graph.roots_of("scores", "focus"))
    wanted = dict(zip(rows, classes, strict=True))
    found: dict[int, NDArray[np.float64]] = {}
    for micro in _micro(feed, rows, max_tokens):
        batch = feed.batch(micro, [0] * len(micro), want)

        def forward(image_tokens: Tensor, batch: dict[str, Tensor] = batch) -> Tensor:
            logits: Tensor = model(batch, [scores], given={focus: image_tokens})[scores]
            return logits

        chosen = torch.tensor([wanted[row] for row in micro], device=feed.device)
        heat = explainer.explain(forward, batch[focus], chosen).double().cpu().numpy()
        found |= dict(zip(micro, heat, strict=True))
    return np.stack([found[row] for row in rows])


def _micro(feed: Feed, rows: Sequence[int], max_tokens: int) -> list[list[int]]:
    lengths = {row: feed.length(row) for row in rows}
    table = [lengths.get(row, 0) for row in range(max(rows) + 1)] if rows else []
    return micro_batches(rows, table, max_tokens)
