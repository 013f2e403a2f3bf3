"""Each trained part learns at its own rate."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import skinframe

ADAPTER, HEADS, CONNECTOR = 1e-4, 2e-3, 3e-4


def rates(small: Any, *overrides: str) -> dict[str, set[float]]:
    """Return the rates of adapters, connector and heads."""
    from skinframe.model.assemble import assemble
    from skinframe.train.optimiser import make_optimiser

    plan = skinframe.plan(small.recipe, overrides=[*small.overrides, f"train.lr={ADAPTER}", *overrides])
    model = assemble(plan, "cpu")
    groups = make_optimiser(model, plan.recipe.train).param_groups
    by_parameter = {id(parameter): group["base_lr"] for group in groups for parameter in group["params"]}
    found: dict[str, set[float]] = {"lora": set(), "connector": set(), "heads": set()}
    for name, parameter in model.trained_parameters():
        part = next(part for part in found if part in name)
        found[part].add(by_parameter.pop(id(parameter)))
    assert not by_parameter
    return found


@pytest.mark.parametrize(
    ("overrides", "connector", "heads"),
    [
        ((), ADAPTER, ADAPTER),
        ((f"train.head_lr={HEADS}",), HEADS, HEADS),
        ((f"train.connector_lr={CONNECTOR}",), CONNECTOR, ADAPTER),
        ((f"train.head_lr={HEADS}", f"train.connector_lr={CONNECTOR}"), CONNECTOR, HEADS),
    ],
)
def test_a_part_s_rate(small: Any, overrides: tuple[str, ...], connector: float, heads: float) -> None:
    assert rates(small, *overrides) == {"lora": {ADAPTER}, "connector": {connector}, "heads": {heads}}


def test_norms_biases_and_scalars_are_not_decayed(small: Any) -> None:
    from skinframe.model.assemble import assemble
    from skinframe.train.optimiser import make_optimiser

    plan = skinframe.plan(small.recipe, overrides=[*small.overrides, "train.connector_lr=3e-4"])
    for group in make_optimiser(assemble(plan, "cpu"), plan.recipe.train).param_groups:
        assert {parameter.ndim > 1 for parameter in group["params"]} == {group["weight_decay"] > 0}
        assert all(isinstance(parameter, torch.nn.Parameter) for parameter in group["params"])
