"""The objective: which terms are evaluated, and what they may give."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import skinframe
from skinframe.errors import DataError, RecipeError
from skinframe.model.objective import Objective, _valid


@pytest.fixture
def plan(small: Any) -> Any:
    return skinframe.plan(small.recipe, overrides=small.overrides)


def signals(count: int = 4) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {
        "classify.logits": torch.randn(count, 8, requires_grad=True),
        "batch.labels": torch.arange(count) % 8,
        "batch.class_counts": torch.ones(8, dtype=torch.int64),
        "reasoner.rationale_logits": torch.full((3, 5), float("nan")),
        "batch.text_ids": torch.arange(count),
        "batch.rationale_targets": torch.tensor([0, 1, -100]),
    }


def test_a_term_of_weight_zero_is_not_evaluated(plan: Any) -> None:
    """0 · NaN is NaN: a term that is off must not be able to spoil the step."""
    objective = Objective(plan)
    off = {"focal": 1.0, "alignment": 0.0, "calibration": 0.0, "rationale": 0.0}
    parts = objective.parts(signals(), off)
    assert list(parts) == ["focal"]
    assert bool(torch.isfinite(parts["focal"]))
    assert bool(torch.isnan(objective.parts(signals(), {**off, "rationale": 1.0})["rationale"]))


def test_the_weights_follow_their_schedules(plan: Any) -> None:
    objective = Objective(plan)
    assert objective.weights(0.0)["calibration"] == 0.0
    assert objective.weights(0.5)["calibration"] == 0.25
    assert objective.weights(7.0) == {"focal": 1.0, "alignment": 0.5, "calibration": 0.5, "rationale": 0.2}


def test_a_term_that_refuses_its_inputs_is_named(plan: Any) -> None:
    given = {**signals(), "batch.class_counts": torch.tensor([1, 1, 1, 0, 1, 1, 1, 1])}
    with pytest.raises(DataError, match=r"losses\.focal: class_weights: no training sample of class 3"):
        Objective(plan).parts(given, {"focal": 1.0, "alignment": 0.0, "calibration": 0.0, "rationale": 0.0})


def test_tokens_are_counted_without_those_masked_out(plan: Any) -> None:
    counts = Objective(plan).counts(signals())
    assert counts["rationale"] == 2
    assert counts["focal"] == 4


ON = {"focal": 0.0, "alignment": 0.0, "calibration": 1.0, "rationale": 0.0}


def committed(plan: Any) -> Objective:
    """Return an objective that has taken one step into its state."""
    objective = Objective(plan)
    detached = {full: value.detach() for full, value in signals().items()}
    rows = {full: detached[full] for full in objective.remembered(["calibration"])}
    objective.commit(rows, {"calibration": 0.5}, {})
    return objective


def test_state_goes_and_comes_back(plan: Any) -> None:
    """To the bit, and it is not nothing: with it the term has another value than without."""
    first, second, new = committed(plan), Objective(plan), Objective(plan)
    second.load_state({name: value.clone() for name, value in first.state().items()})
    assert int(first.state()["calibration.filled"]) == 4
    assert first.state().keys() == second.state().keys()
    assert all(torch.equal(value, second.state()[name]) for name, value in first.state().items())
    given = {**signals(), "classify.logits": 3 * signals()["classify.logits"].flip(0)}
    values = [objective.parts(given, ON)["calibration"] for objective in (first, second, new)]
    assert torch.equal(values[0], values[1])
    assert not torch.equal(values[0], values[2])
    assert new.state() == {}


def test_two_objectives_of_one_plan_share_nothing(plan: Any) -> None:
    """A plan holds classes and options: what one run learns, no other starts from."""
    one = committed(plan)
    assert one.state()
    assert Objective(plan).state() == {}
    assert plan.parts.losses["calibration"].state() == {}
    for term in one.terms:
        assert term.loss is not plan.parts.losses[term.name]
        assert term.loss.config is plan.parts.losses[term.name].config
    assert one.balancer is not plan.parts.balancer


def test_evaluating_changes_no_state_and_an_unevaluated_term_takes_no_rows(plan: Any) -> None:
    objective = committed(plan)
    before = objective.state()
    objective.parts(signals(), ON)
    objective.commit({}, {"focal": 1.0}, {})
    assert all(torch.equal(value, before[name]) for name, value in objective.state().items())
    assert objective.remembered(["focal", "alignment", "rationale"]) == {}
    assert objective.remembered(["calibration"]) == {"classify.logits": "B C", "batch.labels": "B"}


def test_a_term_that_fails_to_commit_is_named(plan: Any) -> None:
    objective = Objective(plan)
    with pytest.raises(RecipeError, match=r"losses\.calibration: 'soft_ece' raised KeyError"):
        objective.commit({}, {"calibration": 0.5}, {})


@pytest.mark.parametrize(
    ("rows", "count"),
    [([[1.0, float("nan")], [float("nan"), float("nan")], [0.0, 1.0]], 2), ([[float("nan")]], 0), ([[0.5], [0.0]], 2)],
)
def test_samples_without_a_known_attribute_are_not_counted(rows: list[list[float]], count: int) -> None:
    assert _valid(torch.tensor(rows)) == count
    assert _valid(torch.zeros(0, 3)) == 0
