"""Each trained part learns at its own rate."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import skinframe

ADAPTER, HEADS, CONNECTOR = 1e-4, 2e-3, 3e-4


def rates(small: Any, *overrides: str) -> dict[str, set[float]]:
    """Return the rates of adapters, connector and heads."""
    from skinframe.model.module import build_model
    from skinframe.train.optimiser import make_optimiser

    plan = skinframe.plan(small.recipe, overrides=[*small.overrides, f"train.lr={ADAPTER}", *overrides])
    model = build_model(plan, "cpu")
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
    from skinframe.model.module import build_model
    from skinframe.train.optimiser import make_optimiser

    plan = skinframe.plan(small.recipe, overrides=[*small.overrides, "train.connector_lr=3e-4"])
    for group in make_optimiser(build_model(plan, "cpu"), plan.recipe.train).param_groups:
        assert {parameter.ndim > 1 for parameter in group["params"]} == {group["weight_decay"] > 0}
        assert all(isinstance(parameter, torch.nn.Parameter) for parameter in group["params"])


def parameters(**shapes: tuple[int, ...]) -> list[tuple[str, torch.nn.Parameter]]:
    return [(name.replace("__", "."), torch.nn.Parameter(torch.zeros(shape))) for name, shape in shapes.items()]


NAMED = parameters(
    heads__classify__weight=(3, 2),
    heads__classify__bias=(3,),
    heads__project__weight=(4, 2),
    reasoner__connector__weight=(5, 2),
    reasoner__base__q__lora_A__weight=(2, 2),
)


def test_parameters_belong_to_parts() -> None:
    from skinframe.train.optimiser import part_of, part_sizes

    assert part_of("reasoner.base.model.q.lora_B.skinframe.weight") == "reasoner.adapter"
    assert part_of("reasoner.connector.norm.weight") == "reasoner.connector"
    sizes = {"heads.classify": 9, "heads.project": 8, "reasoner.connector": 10, "reasoner.adapter": 4}
    assert part_sizes(NAMED) == sizes


@pytest.mark.parametrize(
    ("parts", "trained"),
    [
        ((), "11111"),
        (("heads",), "11100"),
        (("heads.project",), "00100"),
        (("reasoner",), "00011"),
        (("reasoner.connector", "heads.classify"), "11010"),
        (("reasoner.adapter",), "00001"),
    ],
)
def test_only_the_named_parts_are_trained(parts: tuple[str, ...], trained: str) -> None:
    from skinframe.train.optimiser import train_only

    train_only(NAMED, parts)
    assert "".join(str(int(parameter.requires_grad)) for _, parameter in NAMED) == trained
    train_only(NAMED, ())
    assert all(parameter.requires_grad for _, parameter in NAMED)


def test_a_part_that_the_model_lacks_is_named() -> None:
    from skinframe.errors import RecipeError
    from skinframe.train.optimiser import train_only

    with pytest.raises(RecipeError, match=r"'heads\.clasify' has no trained .*did you mean 'heads\.classify'"):
        train_only(NAMED, ("heads.clasify",))
    with pytest.raises(RecipeError, match=r"'head' has no trained parameter"):
        train_only(NAMED, ("head",))


def test_the_rate_warms_up_then_falls_as_a_cosine() -> None:
    from skinframe.train.optimiser import set_rate

    optimiser = torch.optim.AdamW(
        [{"params": [NAMED[0][1]], "base_lr": 2.0}, {"params": [NAMED[1][1]], "base_lr": 1.0}]
    )
    factors = [set_rate(optimiser, step, 10, 0.4) for step in range(11)]
    assert factors[:4] == [0.25, 0.5, 0.75, 1.0]
    assert factors[4:] == pytest.approx([1.0, 0.933013, 0.75, 0.5, 0.25, 0.066987, 0.0], abs=1e-6)
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([0, 0])
    set_rate(optimiser, 7, 10, 0.4)
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([1.0, 0.5])
    assert set_rate(optimiser, 0, 10, 0.0) == 1.0  # no warm-up: the first step is a whole one
    assert set_rate(optimiser, 0, 1, 0.0) == 1.0
