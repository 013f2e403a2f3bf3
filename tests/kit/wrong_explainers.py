"""One deliberately wrong explainer for each check of the contract kit."""

from __future__ import annotations

import torch

import skinframe


class Right(skinframe.Explainer):
    """The size of the gradient over each patch; passes every check."""

    name = "right"

    def explain(self, forward, image_tokens, classes):
        tokens = image_tokens.detach().clone().requires_grad_(True)
        chosen = forward(tokens).gather(1, classes[:, None]).sum()
        (gradient,) = torch.autograd.grad(chosen, tokens)
        return gradient.norm(dim=-1)


class Signed(Right):
    def explain(self, forward, image_tokens, classes):
        found = super().explain(forward, image_tokens, classes)
        return torch.where(found > 0, found, -1e-3)


class Noisy(Right):
    def explain(self, forward, image_tokens, classes):
        found = super().explain(forward, image_tokens, classes)
        return found * (1 + 1e-10 * torch.rand_like(found))


class SizeOfTokens(Right):
    """Where the tokens are large, whatever the model makes of them."""

    def explain(self, forward, image_tokens, classes):
        return image_tokens.norm(dim=-1)


class ScaledByBatch(Right):
    def explain(self, forward, image_tokens, classes):
        return super().explain(forward, image_tokens, classes) / len(image_tokens)


class Meddler(Right):
    def explain(self, forward, image_tokens, classes):
        found = super().explain(forward, image_tokens, classes)
        image_tokens.requires_grad_(True)
        return found


class Backward(Right):
    """`backward` in place of `autograd.grad`: every parameter keeps a gradient."""

    def explain(self, forward, image_tokens, classes):
        tokens = image_tokens.detach().clone().requires_grad_(True)
        forward(tokens).gather(1, classes[:, None]).sum().backward()
        return tokens.grad.norm(dim=-1)


RIGHT = [Right()]
WRONG = {
    "heat": Signed(),
    "deterministic": Noisy(),
    "planted": SizeOfTokens(),
    "alone": ScaledByBatch(),
    "pure": Meddler(),
    "quiet": Backward(),
}
ALSO: dict[str, set[str]] = {}
