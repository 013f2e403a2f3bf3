"""Weighted MMCE²: the paper's three sums, where its minimum is, and the term's duties."""

from __future__ import annotations

import math

import pytest
import torch
from calibration_cases import (
    CONFIDENCE,
    CORRECT,
    batch,
    call,
    check_declared,
    check_extremes,
    check_memory,
    check_queue_is_dense,
    law,
)
from hypothesis import given
from hypothesis import strategies as st
from skinframe_cfa.calibration.forecasts_and_outcomes import top_label
from skinframe_cfa.calibration.mmce import WeightedMMCE, mmce_squared, weighted_mmce_squared

from skinframe.testing import loss_contract


def build(queue):
    return WeightedMMCE(WeightedMMCE.Config(queue=queue))


def slow_weighted_mmce(c, a, width):
    """The three sums of the paper; a side without a sample contributes nothing."""
    right = [ci for ci, ai in zip(c, a, strict=True) if ai == 1]
    wrong = [ci for ci, ai in zip(c, a, strict=True) if ai == 0]

    def kernel(x, y):
        return math.exp(-abs(x - y) / width)

    total = 0.0
    if wrong:
        total += sum(x * y * kernel(x, y) for x in wrong for y in wrong) / len(wrong) ** 2
    if right:
        total += sum((1 - x) * (1 - y) * kernel(x, y) for x in right for y in right) / len(right) ** 2
    if right and wrong:
        total -= 2 * sum((1 - x) * y * kernel(x, y) for x in right for y in wrong) / (len(right) * len(wrong))
    return total


@law
@given(c=CONFIDENCE, a=CORRECT, width=st.floats(0.05, 2.0))
def test_it_is_the_papers_three_sums(c, a, width):
    found = weighted_mmce_squared(c, a, width)
    assert found.item() == pytest.approx(slow_weighted_mmce(c.tolist(), a.tolist(), width), rel=1e-9, abs=1e-12)
    assert found >= -1e-12


def test_with_as_many_right_as_wrong_it_is_four_times_mmce():
    c, a = torch.tensor([0.9, 0.6, 0.7, 0.8]), torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0]])
    assert torch.allclose(weighted_mmce_squared(c, a), 4 * mmce_squared(c, a))


def test_its_minimum_is_not_calibration():
    a = torch.tensor([1.0, 1.0, 1.0, 0.0], dtype=torch.float64)
    calibrated, half = torch.full((4,), 0.75, dtype=torch.float64), torch.full((4,), 0.5, dtype=torch.float64)
    assert mmce_squared(calibrated, a) == 0
    assert weighted_mmce_squared(calibrated, a).item() == pytest.approx(0.25)
    assert weighted_mmce_squared(half, a) == 0


def test_a_share_of_a_sample_counts_by_its_share():
    """Two classes that tie: half right, half wrong, and each half weighs one."""
    assert weighted_mmce_squared(torch.tensor([0.8]), torch.tensor([0.5])).item() == pytest.approx((0.2 - 0.8) ** 2)


def test_the_default_width_is_four_tenths():
    c, a = top_label(*batch())
    assert weighted_mmce_squared(c, a) == weighted_mmce_squared(c, a, 0.4)


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"^width must be a finite number > 0, got 0.0$"):
        WeightedMMCE.Config(width=0.0)


def test_the_term():
    check_declared(WeightedMMCE, "weighted_mmce", "batch", {"width": 0.4, "queue": 512})
    logits, labels = batch()
    term = WeightedMMCE(WeightedMMCE.Config(width=0.2))
    assert torch.equal(call(term, logits, labels), weighted_mmce_squared(*top_label(logits, labels), 0.2))
    check_queue_is_dense(build)
    check_memory(build)
    check_extremes(WeightedMMCE())


@loss_contract(WeightedMMCE(), examples=8)
def test_contract(loss, check):
    check(loss)
