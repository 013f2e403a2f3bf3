from collections.abc import Callable
from typing import TYPE_CHECKING

import skinframe

if TYPE_CHECKING:
    from torch import Tensor


class MyName(skinframe.Explainer):
    """How much the class's logit falls when a patch is replaced by the mean patch, one patch at a time."""

    name = "my_name"

    def explain(self, forward: "Callable[[Tensor], Tensor]", image_tokens: "Tensor", classes: "Tensor") -> "Tensor":
        import torch

        def chosen(tokens: "Tensor") -> "Tensor":
            return forward(tokens).gather(1, classes[:, None])[:, 0]

        with torch.no_grad():
            whole, mean = chosen(image_tokens), image_tokens.mean(dim=1)
            falls = []
            for patch in range(image_tokens.shape[1]):
                hidden = image_tokens.clone()
                hidden[:, patch] = mean
                falls.append((whole - chosen(hidden)).abs())
        return torch.stack(falls, dim=1)


@skinframe.hookimpl
def register_explainers() -> list[type[skinframe.Explainer]]:
    return [MyName]
