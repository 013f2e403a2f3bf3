"""Gradient times input: the default explainer over image tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from skinframe.components import Explainer

if TYPE_CHECKING:
    from torch import Tensor


class GradientInput(Explainer):
    """|sum_v g_pv x_pv| over channels v, g the gradient of the predicted logit (Shrikumar et al., arXiv:1605.01713).

    Says where the prediction is sensitive; on its own it proves no grounding.
    """

    name = "gradient_input"

    def explain(self, forward: Callable[[Tensor], Tensor], image_tokens: Tensor, classes: Tensor) -> Tensor:
        import torch

        tokens = image_tokens.detach().clone().requires_grad_(True)
        with torch.enable_grad():
            logits = forward(tokens)
            chosen = logits.gather(1, classes[:, None]).sum()
            (gradient,) = torch.autograd.grad(chosen, tokens)
        return (gradient * tokens).sum(-1).abs().detach()
