"""One weight a class, from the number of training samples of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from skinframe.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

Scheme = Literal["none", "inverse", "sqrt", "effective_number"]
SCHEMES: tuple[Scheme, ...] = ("none", "inverse", "sqrt", "effective_number")


def class_weights(counts: Tensor, scheme: Scheme, beta: float = 0.9999) -> Tensor:
    """Class weights; `effective_number` is Cui et al. 2019, arXiv:1901.05555. counts [C] -> weights [C], float64.

    With n_k = counts[k], N = Σ n_k and K classes:

    - none: w_k = 1
    - inverse: w_k = N / (K n_k), so that Σ_k n_k w_k = N
    - sqrt: w_k = sqrt(N / (K n_k))
    - effective_number: w_k ∝ (1 − β) / (1 − β^n_k), scaled to Σ_k w_k = K; by expm1, since β^n is near 1

    Raises ValueError naming the classes that have no training sample: no finite weight is right for them.
    """
    if scheme == "none":
        return torch.ones_like(counts, dtype=torch.float64)
    n = seen_counts(counts, "class_weights")
    if scheme == "effective_number":
        raw = -1 / torch.expm1(n * (math.log(beta) if beta > 0 else -math.inf))
        return raw * (len(n) / raw.sum())
    inverse = n.sum() / (len(n) * n)
    return inverse if scheme == "inverse" else inverse.sqrt()


def seen_counts(counts: Tensor, option: str) -> Tensor:
    """Return counts [C] in float64. Raises ValueError under the option's name where a class has no training sample."""
    empty = (counts <= 0).nonzero().flatten().tolist()
    if empty:
        raise ValueError(
            f"{option}: no training sample of class {', '.join(map(str, empty))}, so no finite number is right for it;"
            " drop the class from the data, split so that training has one, or use a term that reads no class counts"
        )
    return counts.to(torch.float64)


def derived_weights(counts: Sequence[int], scheme: Scheme, beta: float) -> dict[str, list[float]]:
    """Return what a term with class weights has to show of itself: one weight a class; nothing for scheme `none`."""
    return {} if scheme == "none" else {"class weight": class_weights(torch.tensor(counts), scheme, beta).tolist()}


def check_scheme(scheme: str, beta: float) -> None:
    """Raise ValueError where a config names an unknown scheme or a β outside [0, 1)."""
    if scheme not in SCHEMES:
        raise ValueError(f"class_weights must be one of {', '.join(SCHEMES)}, got {scheme!r}")
    if not 0 <= beta < 1:
        raise ValueError(f"beta must be in [0, 1), got {beta}")


def weights_of(counts: Tensor | None, scheme: Scheme, beta: float) -> Tensor | None:
    """Return the weight [C] of each class, or None for scheme `none`. Raises ValueError where counts are missing."""
    if scheme == "none":
        return None
    if counts is None:
        raise ValueError(f"class_weights: '{scheme}' needs the signal class_counts; provide it or use none")
    return class_weights(counts, scheme, beta)


def sample_weights(counts: Tensor | None, labels: Tensor, scheme: Scheme, beta: float) -> Tensor | None:
    """Return the weight [B] of each sample's class (masked labels get class 0's), or None for scheme `none`."""
    weights = weights_of(counts, scheme, beta)
    return None if weights is None else weights.to(labels.device)[labels.clamp(min=0)]
