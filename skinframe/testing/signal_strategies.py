"""Hypothesis strategies for signals, chosen from a signature by name or by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor

from skinframe import signals as named
from skinframe.signals import Signal, signal_of

Sizes = Mapping[str, int]
Maker = Callable[[tuple[int, ...], Sizes], st.SearchStrategy[Tensor]]

RANGES: dict[str, tuple[int, int]] = {"B": (1, 6), "C": (2, 5), "T": (0, 6), "L": (2, 7), "P": (1, 5), "W": (2, 5)}
OTHER = (1, 4)
SIGNALS: dict[str, Signal] = {found.name: found for found in map(signal_of, vars(named).values()) if found}


def tensors(shape: tuple[int, ...], low: float, high: float) -> st.SearchStrategy[Tensor]:
    """Draw float64 tensors in [low, high]: by turns shrinkable with many ties, and in general position."""
    tied = hnp.arrays(np.float64, shape, elements=st.floats(low, high, allow_subnormal=False))
    return st.one_of(
        tied.map(torch.from_numpy), st.integers(0, 2**32 - 1).map(lambda seed: _spread(seed, shape, low, high))
    )


def integers(shape: tuple[int, ...], low: int, high: int) -> st.SearchStrategy[Tensor]:
    """Draw int64 tensors with elements in low…high, both included."""
    return hnp.arrays(np.int64, shape, elements=st.integers(low, high)).map(torch.from_numpy)


def unit_vectors(shape: tuple[int, ...]) -> st.SearchStrategy[Tensor]:
    """Draw float64 tensors [..., W] of unit length along the last dim."""
    return tensors(shape, -1, 1).map(_normalise)


def sizes(letters: set[str], least: Mapping[str, int]) -> st.SearchStrategy[dict[str, int]]:
    """Draw one size for each dim letter; `least` raises the lower end where a law needs more."""
    spans = {letter: RANGES.get(letter, OTHER) for letter in sorted(letters)}
    return st.fixed_dictionaries({k: st.integers(max(low, least.get(k, 0)), high) for k, (low, high) in spans.items()})


def maker(signal: Signal, own: Mapping[str, Maker]) -> Maker:
    """Return what draws a signal: the caller's own, the table's, or one for its element kind."""
    if signal.name in own:
        return own[signal.name]
    if signal.name in MAKERS:
        return MAKERS[signal.name]
    if signal.kind == "int":
        return lambda shape, _: integers(shape, 0, 3)
    return lambda shape, _: tensors(shape, -3, 3)


def _spread(seed: int, shape: tuple[int, ...], low: float, high: float) -> Tensor:
    random = torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return low + (high - low) * random


def _normalise(values: Tensor) -> Tensor:
    first = torch.zeros_like(values)
    first[..., 0] = 1  # the zero vector has no direction of its own
    norm = values.norm(dim=-1, keepdim=True)
    return torch.where(norm > 1e-3, values / norm.clamp(min=1e-3), first)


def _attributes(shape: tuple[int, ...], _: Sizes) -> st.SearchStrategy[Tensor]:
    return integers(shape, 0, 2).map(lambda drawn: torch.where(drawn == 2, torch.nan, drawn.double()))


def _scores(shape: tuple[int, ...], _: Sizes) -> st.SearchStrategy[Tensor]:
    return tensors(shape, -20, 20)


def _unit(shape: tuple[int, ...], _: Sizes) -> st.SearchStrategy[Tensor]:
    return unit_vectors(shape)


MAKERS: dict[str, Maker] = {
    "labels": lambda shape, size: integers(shape, 0, size.get("C", 3) - 1),
    "class_counts": lambda shape, _: integers(shape, 1, 5000),
    "attributes": _attributes,
    "text_ids": lambda shape, size: integers(shape, 0, size.get("B", 3)),
    "text_embedding": _unit,
    "logits": _scores,
    "image_logits": _scores,
    "regions": _unit,
    "text_vectors": _unit,
    "queries": _unit,
    "lesion_cover": lambda shape, _: tensors(shape, 0.05, 1),
    "logit_scale": lambda shape, _: tensors(shape, 1, 100),
    "rationale_logits": _scores,
    "rationale_targets": lambda shape, size: integers(shape, 0, size.get("L", 3) - 1),
}
