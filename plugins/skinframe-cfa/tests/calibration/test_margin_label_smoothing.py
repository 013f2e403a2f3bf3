"""MbLS's penalty: against the loop, zeros, shifts, and the term's duties."""

from __future__ import annotations

import math

import pytest
import torch
from calibration_cases import batch, call, check_declared, check_extremes, law
from hypothesis import given
from hypothesis import strategies as st
from skinframe_cfa.calibration.margin_label_smoothing import MbLS, mbls

from skinframe.testing import loss_contract, tensors

LABELS = torch.zeros(4, dtype=torch.long)


@law
@given(logits=tensors((4, 3), -8, 8), margin=st.floats(0, 10), shift=st.floats(-50, 50))
def test_it_is_the_obvious_loop(logits, margin, shift):
    slow = [sum(max(0.0, max(row) - z - margin) for z in row) / 3 for row in logits.tolist()]
    assert mbls(logits, LABELS, margin, "none").tolist() == pytest.approx(slow, abs=1e-12)
    assert mbls(logits, LABELS, margin).item() == pytest.approx(sum(slow) / 4, abs=1e-12)
    assert mbls(logits + shift, LABELS, margin).item() == pytest.approx(sum(slow) / 4, abs=1e-9)


def test_it_is_zero_where_no_gap_is_wider_than_the_margin():
    logits = torch.tensor([[5.0, 3.0, 0.0]])
    assert mbls(logits, LABELS[:1], 5.0) == 0
    assert mbls(logits, LABELS[:1], 4.0).item() == pytest.approx(1 / 3)
    assert mbls(logits, LABELS[:1], 0.0).item() == pytest.approx(7 / 3)


def test_labels_only_mask():
    logits, labels = batch(4)
    assert torch.equal(mbls(logits, labels, 1.0), mbls(logits, LABELS, 1.0))
    logits[1] = torch.nan
    keep = torch.tensor([0, 2, 3])
    assert torch.allclose(mbls(logits, torch.tensor([0, -1, 0, 0]), 1.0), mbls(logits[keep], LABELS[keep], 1.0))


@pytest.mark.parametrize("margin", [-0.1, math.inf, math.nan])
def test_a_margin_out_of_range_is_refused(margin):
    with pytest.raises(ValueError, match=rf"^margin must be a finite number >= 0, got {margin}$"):
        MbLS.Config(margin=margin)
    MbLS.Config(margin=0.0)


def test_the_term():
    check_declared(MbLS, "mbls", "per_sample", {"margin": 10.0})
    logits, labels = batch()
    assert torch.equal(call(MbLS(MbLS.Config(margin=1.0)), logits, labels), mbls(logits, labels, 1.0))
    check_extremes(MbLS())


@loss_contract(MbLS(), MbLS(MbLS.Config(margin=0.0)), examples=8)
def test_contract(loss, check):
    check(loss)
