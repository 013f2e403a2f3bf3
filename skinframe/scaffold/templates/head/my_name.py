from dataclasses import dataclass
from typing import TYPE_CHECKING

import skinframe

if TYPE_CHECKING:
    from torch import nn


class MyName(skinframe.Head):
    """Class logits from the reasoner's state, by one hidden layer: z = W gelu(U norm(h))."""

    name = "my_name"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        width: int = 64  # of the hidden layer

        def __post_init__(self) -> None:
            if self.width < 1:
                raise ValueError(f"width must be at least 1, got {self.width}")

    def needs(self) -> tuple[str, ...]:
        return ("hidden",)

    def provides(self) -> tuple[str, ...]:
        return ("logits",)

    def build(self, context: skinframe.BuildContext) -> "nn.Module":
        from torch import Tensor, nn

        class Module(nn.Module):
            def __init__(self, state: int, width: int, classes: int) -> None:
                super().__init__()
                layers = (nn.LayerNorm(state), nn.Linear(state, width), nn.GELU(), nn.Linear(width, classes))
                self.layers = nn.Sequential(*layers)

            def forward(self, signals: dict[str, Tensor]) -> dict[str, Tensor]:
                return {"logits": self.layers(signals["hidden"].float())}

        return Module(context.shapes["hidden"][-1], self.config.width, len(context.classes))


@skinframe.hookimpl
def register_heads() -> list[type[skinframe.Head]]:
    return [MyName]
