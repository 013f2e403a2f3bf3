"""MMCE²: against the double loop, exact zeros, bounds, the U statistic, and the term's duties."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from calibration_cases import (
    CONFIDENCE,
    CORRECT,
    TIED,
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
from skinframe_cfa.calibration.mmce import MMCE, check_width, laplacian, mmce_squared

from skinframe.testing import loss_contract

WIDTH = st.floats(0.05, 2.0)


def build(queue):
    return MMCE(MMCE.Config(queue=queue))


def slow_mmce(c, a, width, diagonal):
    total, pairs = 0.0, 0
    for i, j in product(range(len(c)), repeat=2):
        if diagonal or i != j:
            total += (a[i] - c[i]) * (a[j] - c[j]) * math.exp(-abs(c[i] - c[j]) / width)
            pairs += 1
    return total / pairs


@law
@given(c=CONFIDENCE, a=CORRECT, width=WIDTH, estimator=st.sampled_from(["v", "u"]))
def test_it_is_the_obvious_double_loop(c, a, width, estimator):
    slow = slow_mmce(c.tolist(), a.tolist(), width, estimator == "v")
    assert mmce_squared(c, a, width, estimator).item() == pytest.approx(slow, rel=1e-9, abs=1e-12)


@law
@given(tied=TIED)
def test_exactly_calibrated_groups_score_zero(tied):
    assert abs(mmce_squared(*tied)) <= 1e-12


@law
@given(c=CONFIDENCE, a=CORRECT, width=WIDTH)
def test_it_lies_between_its_bounds(c, a, width):
    r, value = a - c, mmce_squared(c, a, width)
    assert value <= r.abs().mean() ** 2 + 1e-12
    # the constant 1 has squared norm 1 + 1 / (2 width) in the kernel's space over [0, 1]
    assert value >= r.mean() ** 2 / (1 + 1 / (2 * width)) - 1e-12
    assert mmce_squared(c, a) >= math.exp(-2.5) * r.mean() ** 2 - 1e-12


def test_the_u_statistic_is_unbiased_and_may_be_negative():
    c = torch.tensor([0.6, 0.7, 0.9], dtype=torch.float64)
    expected, values = 0.0, []
    for outcome in product([0.0, 1.0], repeat=3):
        a = torch.tensor(outcome, dtype=torch.float64)
        values.append(mmce_squared(c, a, 0.4, "u").item())
        expected += torch.where(a == 1, c, 1 - c).prod().item() * values[-1]
    assert expected == pytest.approx(0, abs=1e-12)
    assert min(values) < -0.01


def test_one_sample_and_draws():
    c, a = torch.tensor([0.8]), torch.tensor([[1.0], [0.0]])
    assert mmce_squared(c, a).tolist() == pytest.approx([0.04, 0.64])
    assert mmce_squared(c, a, estimator="u").tolist() == [0, 0]


def test_the_kernel_and_its_width():
    found = laplacian(torch.tensor([0.2, 0.7]), 0.25)
    assert found.flatten().tolist() == pytest.approx([1, math.exp(-2), math.exp(-2), 1])
    logits, labels = batch()
    c, a = top_label(logits, labels)
    assert mmce_squared(c, a) == mmce_squared(c, a, 0.4, "v")


@pytest.mark.parametrize("width", [0.0, -1.0, math.inf, math.nan])
def test_a_width_out_of_range_is_refused(width):
    with pytest.raises(ValueError, match=rf"^width must be a finite number > 0, got {width}$"):
        MMCE.Config(width=width)
    with pytest.raises(ValueError, match="width"):
        check_width(width)


def test_an_unknown_estimator_is_refused():
    with pytest.raises(ValueError, match=r"^estimator must be v or u, got 'w'$"):
        MMCE.Config(estimator="w")


def test_the_term():
    check_declared(MMCE, "mmce", "batch", {"width": 0.4, "estimator": "v", "queue": 512})
    logits, labels = batch()
    term = MMCE(MMCE.Config(width=0.2, estimator="u"))
    assert torch.equal(call(term, logits, labels), mmce_squared(*top_label(logits, labels), 0.2, "u"))
    plain = MMCE(MMCE.Config(width=0.2))
    assert torch.equal(call(plain, logits, labels), mmce_squared(*top_label(logits, labels), 0.2, "v"))
    for estimator in ("v", "u"):
        check_queue_is_dense(lambda queue, estimator=estimator: MMCE(MMCE.Config(estimator=estimator, queue=queue)))
    check_memory(build)
    check_extremes(MMCE())
    check_extremes(MMCE(MMCE.Config(estimator="u")))


@loss_contract(MMCE(), MMCE(MMCE.Config(estimator="u", width=0.1)), examples=8)
def test_contract(loss, check):
    check(loss)
