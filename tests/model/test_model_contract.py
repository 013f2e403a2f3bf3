"""The engine's own heads, explainers and balancers keep the contracts that a plugin's must."""

from __future__ import annotations

from skinframe.built_in_components import Unbalanced
from skinframe.model.gradient_input_explainer import GradientInput
from skinframe.model.heads import AttributesHead, Fused, Linear, PooledLinear, Projection, Verbalizer
from skinframe.testing import balancer_contract, explainer_contract, head_contract


@head_contract(
    Linear(),
    Linear(Linear.Config(width=6, dropout=0.1)),
    AttributesHead(),
    Fused(),
    Fused(Fused.Config(dropout=0.2, metadata=True)),
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


@balancer_contract(Unbalanced())
def test_balancers(balancer, check):
    check(balancer)
