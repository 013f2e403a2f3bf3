"""From the scores of a focal or class-weighted classifier back to the probabilities of a population."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skinframe.lazy import F, torch
from skinframe_cfa.loss_reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor


def all_margins(logits: Tensor) -> Tensor:
    """Return d_ik = z_ik − log Σ_{j≠k} exp z_ij for every class k; logits [B, C] -> [B, C].

    Then log p_k = logsigmoid(d_k) and log(1 − p_k) = logsigmoid(−d_k), each exact to the last bits at both ends.
    """
    B, C = logits.shape
    diagonal = torch.eye(C, dtype=torch.bool, device=logits.device)
    others = logits.unsqueeze(1).expand(B, C, C).masked_fill(diagonal, -torch.inf).logsumexp(2)
    return logits - others


def focal_to_posterior(logits: Tensor, gamma: float) -> Tensor:
    """Recover the posterior from focal-trained scores (Charoenphakdee et al. 2021, arXiv:2011.09172).

    h(p) = p / ((1 − p)^γ − γ (1 − p)^(γ−1) p log p), posterior_k = h(p_k) / Σ_j h(p_j).
    logits [B, C] (log probabilities will do) -> probabilities [B, C]. Unweighted focal loss only: class weights w
    must be divided out afterwards. No gradient is meant to flow through it.
    """
    margin = all_margins(upcast(logits).detach())
    log_p, log_q, p, q = F.logsigmoid(margin), F.logsigmoid(-margin), margin.sigmoid(), (-margin).sigmoid()
    # p (−log p) / (1 − p), whose limit at p = 1 is 1 and at p = 0 is 0
    ratio = torch.where(margin > 30, 1 - q / 2, torch.where(p > 0, -p * log_p / q, torch.zeros_like(p)))
    log_h = log_p - gamma * log_q - torch.log1p(gamma * ratio)
    return log_h.clamp(max=torch.finfo(log_h.dtype).max).softmax(dim=1)


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
