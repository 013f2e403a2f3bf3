"""The objective: which terms are evaluated, and what they may give."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import skinframe
from skinframe.errors import DataError
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


def test_state_goes_and_comes_back(plan: Any) -> None:
    first, second = Objective(plan), Objective(plan)
    second.load_state(first.state())
    assert first.state().keys() == second.state().keys()


@pytest.mark.parametrize(
    ("rows", "count"),
    [([[1.0, float("nan")], [float("nan"), float("nan")], [0.0, 1.0]], 2), ([[float("nan")]], 0), ([[0.5], [0.0]], 2)],
)
def test_samples_without_a_known_attribute_are_not_counted(rows: list[list[float]], count: int) -> None:
    assert _valid(torch.tensor(rows)) == count
    assert _valid(torch.zeros(0, 3)) == 0
