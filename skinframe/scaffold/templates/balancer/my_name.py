from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

import skinframe


class MyName(skinframe.Balancer):
    """Divides each term by the running mean of its size, so that all count alike: f_k = 1 / (mean |L_k| + floor)."""

    name = "my_name"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        decay: float = 0.9  # of the running mean
        floor: float = 1e-3  # so that a term that is solved has a finite factor

        def __post_init__(self) -> None:
            if not 0 <= self.decay < 1 or self.floor <= 0:
                raise ValueError(f"decay must be in [0, 1) and floor positive, got {self.decay} and {self.floor}")

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.means: dict[str, float] = {}

    def factors(self, terms: Sequence[str]) -> dict[str, float]:
        return {term: 1 / (self.means[term] + self.config.floor) for term in terms if term in self.means}

    def learn(self, values: Mapping[str, float], norms: Mapping[str, float]) -> None:
        for term, value in values.items():
            before, decay = self.means.get(term, abs(value)), self.config.decay
            self.means[term] = decay * before + (1 - decay) * abs(value)

    def state(self) -> dict[str, Tensor]:
        return {term: torch.tensor(mean, dtype=torch.float64) for term, mean in self.means.items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.means = {term: float(mean) for term, mean in state.items()}


@skinframe.hookimpl
def register_balancers() -> list[type[skinframe.Balancer]]:
    return [MyName]
