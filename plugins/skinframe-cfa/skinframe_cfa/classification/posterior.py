"""From the probabilities of a weighted classifier back to those of a population."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skinframe.lazy import torch
from skinframe_cfa.reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor


def undo_prior_shift(p: Tensor, w: Tensor, pi_deploy: Tensor | None = None, pi_train: Tensor | None = None) -> Tensor:
    """Return the posterior behind class-weighted probabilities (Saerens et al. 2002; Elkan 2001).

    Training with class weights w moves the minimiser to p_k ∝ w_k η_k, so η_k ∝ p_k / w_k; under another prior
    η'_k ∝ (p_k / w_k) (π_deploy,k / π_train,k). p [B, C], w [C], priors [C] (counts will do) -> [B, C].
    NaN where the classes that may come have no probability at all. Raises ValueError where a weight or a training prior
    is not positive, or one prior comes alone.
    """
    if (pi_deploy is None) != (pi_train is None):
        raise ValueError("pi_deploy and pi_train belong together: their ratio is what moves the posterior")
    factor = 1 / _positive(w, "w")
    if pi_deploy is not None and pi_train is not None:
        factor = factor * pi_deploy.double() / _positive(pi_train, "pi_train")
    shifted = upcast(p) * (factor / factor.max()).to(p.device)
    return (shifted / shifted.sum(dim=1, keepdim=True)).to(upcast(p).dtype)


def _positive(values: Tensor, name: str) -> Tensor:
    if not bool((torch.isfinite(values) & (values > 0)).all()):
        raise ValueError(f"{name} must hold finite numbers > 0, got {values.tolist()}")
    return values.double()
