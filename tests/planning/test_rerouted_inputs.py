"""A re-routed input reaches the term: in the plan, in the value and in what is dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import skinframe
from skinframe.errors import RecipeError

TWO_HEADS = """
heads: {second: {use: linear}}
outputs: {scores: classify.logits}
losses:
  focal: {inputs: {logits: second.logits}}
  calibration: {inputs: {logits: classify.logits}}
"""


@pytest.fixture
def plan(small: Any, tmp_path: Path) -> Any:
    def make(*overrides: str) -> Any:
        preset = tmp_path / "two_heads.yaml"
        preset.write_text(TWO_HEADS)
        return skinframe.plan(small.recipe, presets=[str(preset)], overrides=[*small.overrides, *overrides])

    return make


def test_each_term_reads_the_head_that_its_recipe_names(plan: Any) -> None:
    terms = plan().graph.terms
    assert (terms["focal"]["logits"], terms["calibration"]["logits"]) == ("second.logits", "classify.logits")
    swapped = plan(
        "losses.focal.inputs.logits=classify.logits", "losses.calibration.inputs.logits=second.logits"
    ).graph.terms
    assert (swapped["focal"]["logits"], swapped["calibration"]["logits"]) == ("classify.logits", "second.logits")
    assert swapped["focal"]["labels"] == "batch.labels"


def test_the_value_of_a_term_follows_its_route(plan: Any) -> None:
    from skinframe.model.objective import Objective

    torch.manual_seed(0)
    labels = torch.arange(8)
    right = 20.0 * torch.eye(8)
    given = {"batch.labels": labels, "batch.class_counts": torch.ones(8, dtype=torch.int64)}
    given |= {"second.logits": right, "classify.logits": -right}
    weights = {"focal": 1.0, "alignment": 0.0, "calibration": 0.0, "rationale": 0.0}
    assert float(Objective(plan()).parts(given, weights)["focal"]) < 1e-3
    back = plan("losses.focal.inputs.logits=classify.logits", "losses.calibration.inputs.logits=second.logits")
    assert float(Objective(back).parts(given, weights)["focal"]) > 1


def test_a_head_that_no_term_and_no_score_reads_is_dropped(plan: Any) -> None:
    graph = plan("losses.focal.inputs.logits=classify.logits").graph
    assert [str(part) for part in graph.dropped] == ["heads.second (no remaining consumer)"]
    assert "second" not in graph.heads
    with pytest.raises(RecipeError, match=r"needs 'second\.logits', but heads\.second is disabled"):
        plan("heads.second.enabled=false")


def test_a_route_is_part_of_the_fingerprint(plan: Any) -> None:
    one, other = plan(), plan("losses.calibration.inputs.logits=second.logits")
    assert one.fingerprint != other.fingerprint
    assert [key for key in one.identity if one.identity[key] != other.identity.get(key)] == [
        "losses.calibration.inputs.logits"
    ]
