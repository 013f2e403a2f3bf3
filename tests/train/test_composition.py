"""The sum of terms: linear in each weight, equal to its parts, and blind to a term whose weight is 0."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

weights = st.floats(0.01, 10)
LAWS = settings(
    deadline=None, derandomize=True, max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def flat(gradients: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat([gradients[name].flatten() for name in sorted(gradients)])


@LAWS
@given(weights, weights, st.sampled_from([[8], [4, 4]]))
def test_the_step_is_linear_in_each_weight(bench: Any, one: float, other: float, sizes: list[int]) -> None:
    both, gradients = bench.step(bench.objective(focal=one, clip_infonce=other), sizes)
    alone = [bench.step(bench.objective(**{name: 1.0}), sizes) for name in ("focal", "clip_infonce")]
    assert both.total == pytest.approx(one * alone[0][0].total + other * alone[1][0].total, rel=1e-6)
    named = [gradient for _, gradient in alone]
    expected = {n: one * named[0].get(n, torch.tensor(0.0)) + other * named[1].get(n, 0.0) for n in gradients}
    size = flat(gradients).norm().item()
    assert (flat(gradients) - flat(expected)).abs().max().item() <= 1e-6 * max(1.0, size)


@LAWS
@given(weights, weights, weights, st.sampled_from([[8], [3, 1, 4]]))
def test_the_parts_sum_to_the_total(bench: Any, a: float, b: float, c: float, sizes: list[int]) -> None:
    record, gradients = bench.step(bench.objective(focal=a, soft_ece=b, clip_infonce=c), sizes, norms=True)
    assert record.total == pytest.approx(sum(record.weights[n] * v for n, v in record.parts.items()), rel=1e-12)
    assert set(record.parts) == set(record.weights) == set(record.part_shares)
    assert sum(record.part_shares.values()) == pytest.approx(1, abs=1e-12)
    norms = list(record.part_norms.values())
    assert max(norms) - sum(norms) + max(norms) <= flat(gradients).norm().item() + 1e-4 * sum(norms)
    assert flat(gradients).norm().item() <= sum(norms) * (1 + 1e-6)


@pytest.mark.parametrize("sizes", [[8], [3, 1, 4]])
@pytest.mark.parametrize("weight", ["0", "{to: 0.5, delay: 1}", "{to: 1, start: 0, epochs: 0, delay: 0.75}"])
@pytest.mark.parametrize("name", ["soft_ece", "brier"])
def test_a_weight_of_0_is_the_run_without_the_term(bench: Any, name: str, weight: str, sizes: list[int]) -> None:
    """To the last bit, at the start of a ramp as well; the bench stands half-way through the first epoch."""
    without, expected = bench.step(bench.objective(focal=1.0, clip_infonce=0.5), sizes, train=True)
    objective = bench.objective(focal=1.0, clip_infonce=0.5, **{name: weight})
    found, gradients = bench.step(objective, sizes, train=True)
    assert found.parts == without.parts
    assert found.total == without.total
    assert gradients.keys() == expected.keys()
    assert all(torch.equal(gradients[n], expected[n]) for n in expected)
    assert objective.state() == {}  # nothing entered a queue
    on, moved = bench.step(bench.objective(focal=1.0, clip_infonce=0.5, **{name: 1.0}), sizes, train=True)
    assert on.total != without.total
    assert not all(torch.equal(moved[n], expected[n]) for n in expected)


def test_a_step_in_which_every_weight_is_0_moves_nothing(bench: Any) -> None:
    record, gradients = bench.step(bench.objective(focal="{to: 1, delay: 1}"), [4, 4], norms=True)
    assert (record.total, record.parts, record.part_shares, gradients) == (0.0, {}, {}, {})
