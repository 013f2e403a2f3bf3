"""ACLS's penalty: against the loop, what stops and what shifts, and the term's duties."""

from __future__ import annotations

import math

import pytest
import torch
from calibration_cases import batch, call, check_declared, check_extremes, law
from hypothesis import given
from hypothesis import strategies as st
from skinframe_cfa.calibration.adaptive_label_smoothing import ACLS, acls

from skinframe.testing import loss_contract, tensors

LABELS = torch.zeros(4, dtype=torch.long)


def slow_acls(rows, margin, positive, negative, centre):
    found = []
    for row in rows:
        z = [each - sum(row) / len(row) for each in row] if centre else row
        top = [each == max(row) for each in row]
        above = sum(max(0.0, each - margin) ** 2 for each, first in zip(z, top, strict=True) if first)
        below = sum(max(0.0, max(z) - each - margin) ** 2 for each, first in zip(z, top, strict=True) if not first)
        found.append(positive * above + negative * below / (len(row) - 1))
    return found


@law
@given(
    logits=tensors((4, 3), -8, 8),
    margin=st.floats(0, 6),
    weights=st.tuples(st.floats(0, 2), st.floats(0, 2)),
    centre=st.booleans(),
)
def test_it_is_the_obvious_loop(logits, margin, weights, centre):
    slow = slow_acls(logits.tolist(), margin, *weights, centre)
    for stop in (True, False):
        found = acls(logits, LABELS, margin, *weights, centre, stop, "none")
        assert found.tolist() == pytest.approx(slow, rel=1e-9, abs=1e-9)
        assert acls(logits, LABELS, margin, *weights, centre, stop).item() == pytest.approx(sum(slow) / 4, abs=1e-9)


def test_by_hand():
    logits = torch.tensor([[5.0, 1.0, 0.0]], dtype=torch.float64)
    one = LABELS[:1]
    assert acls(logits, one, 2.0, 1.0, 0.0, centre=False).item() == pytest.approx(9)
    assert acls(logits, one, 2.0, 1.0, 0.0).item() == pytest.approx(1)  # 5 less the mean 2 is 3
    assert acls(logits, one, 2.0, 0.0, 1.0).item() == pytest.approx((2**2 + 3**2) / 2)
    assert acls(logits, one, 2.0).item() == pytest.approx(1 + 0.1 * 13 / 2)
    assert acls(logits, one, 5.0, centre=False) == 0
    assert acls(logits[:, :1], one, 0.0, centre=False).item() == pytest.approx(25)  # one class has no others


def test_only_the_centred_form_ignores_a_shift():
    logits, labels = batch(6)
    raw, centred = ({"centre": each} for each in (False, True))
    assert torch.allclose(acls(logits, labels, 1.0, **centred), acls(logits + 100, labels, 1.0, **centred))
    assert acls(logits + 100, labels, 1.0, **raw) > 1000 * acls(logits, labels, 1.0, **raw)


@pytest.mark.parametrize("stop", [True, False])
def test_whether_the_others_push_the_top_score(stop):
    logits = torch.tensor([[5.0, 0.0]], dtype=torch.float64, requires_grad=True)
    value = acls(logits, LABELS[:1], 1.0, 0.0, 1.0, centre=False, detach_top=stop)
    (gradient,) = torch.autograd.grad(value, logits)
    assert gradient.tolist() == [[0.0 if stop else 8.0, -8.0]]


def test_the_defaults():
    logits, labels = batch(6)
    assert acls(logits, labels, 1.0) == acls(logits, labels, 1.0, 1.0, 0.1, True, True)
    live = logits.clone().requires_grad_()
    (default,) = torch.autograd.grad(acls(live, labels, 1.0), live)
    (stopped,) = torch.autograd.grad(acls(live, labels, 1.0, detach_top=True), live)
    assert torch.equal(default, stopped)


def test_labels_only_mask():
    logits, labels = batch(4)
    assert torch.equal(acls(logits, labels, 1.0), acls(logits, LABELS, 1.0))
    logits[1] = torch.nan
    keep = torch.tensor([0, 2, 3])
    assert torch.allclose(acls(logits, torch.tensor([0, -1, 0, 0]), 1.0), acls(logits[keep], LABELS[keep], 1.0))


@pytest.mark.parametrize("name", ["margin", "positive", "negative"])
@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan])
def test_options_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be a finite number >= 0, got {value}$"):
        ACLS.Config(**{name: value})
    ACLS.Config(**{name: 0.0})


def test_the_term():
    check_declared(
        ACLS,
        "acls",
        "per_sample",
        {"margin": 10.0, "positive": 1.0, "negative": 0.1, "centre": True, "detach_top": True},
    )
    logits, labels = batch()
    for centre in (True, False):
        term = ACLS(ACLS.Config(margin=0.5, positive=0.7, negative=0.3, centre=centre))
        assert torch.equal(call(term, logits, labels), acls(logits, labels, 0.5, 0.7, 0.3, centre))
    live = logits.clone().requires_grad_()
    found = [
        torch.autograd.grad(call(ACLS(ACLS.Config(margin=0.5, detach_top=stop)), live, labels), live)[0]
        for stop in (True, False)
    ]
    assert not torch.equal(*found)
    check_extremes(ACLS())
    check_extremes(ACLS(ACLS.Config(centre=False, detach_top=False)))


@pytest.mark.parametrize("detach_top", [True, False])
@pytest.mark.parametrize("centre", [True, False])
def test_it_declares_what_its_options_break_and_no_more(centre, detach_top):
    broken = ACLS(ACLS.Config(centre=centre, detach_top=detach_top)).breaks
    assert set(broken) == ({"gradient"} if detach_top else set()) | (set() if centre else {"shift"})
    assert all(reason.strip() for reason in broken.values())


@loss_contract(
    ACLS(ACLS.Config(detach_top=False)),
    ACLS(ACLS.Config(margin=1.0, detach_top=False)),
    ACLS(),  # declares what stopping the top score breaks
    ACLS(ACLS.Config(centre=False)),  # and what the absolute top score does
    examples=8,
)
def test_contract(loss, check):
    check(loss)
