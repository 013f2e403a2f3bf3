"""The engine's own heads and explainers keep the contracts that a plugin's must."""

from __future__ import annotations

from skinframe.model.explain import GradientInput
from skinframe.model.heads import Attributes, Fused, Linear, PooledLinear, Projection, Verbalizer
from skinframe.testing import explainer_contract, head_contract


@head_contract(
    Linear(),
    Linear(Linear.Config(width=6, dropout=0.1)),
    Attributes(),
    Fused(),
    PooledLinear(),
    PooledLinear(PooledLinear.Config(gives="logits")),
    Projection(Projection.Config(width=4)),
    Projection(Projection.Config(width=4, query="text")),
    Verbalizer(),
)
def test_heads(head, check):
    check(head)


@explainer_contract(GradientInput())
def test_explainers(explainer, check):
    check(explainer)
