"""Asymmetric loss: binary cross entropy as its limit, the obvious loop, unknown attributes, the detached focus."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.classification.asymmetric import Asymmetric, asymmetric
from torch.nn import functional as F

from skinframe.testing import integers, tensors

law = settings(deadline=None, derandomize=True, max_examples=60)
SHAPE = (4, 3)
LOGITS = tensors(SHAPE, -8, 8)
ATTRIBUTES = integers(SHAPE, 0, 2).map(lambda drawn: torch.where(drawn == 2, torch.nan, drawn.double()))
GAMMA, MARGIN = st.floats(0, 5), st.sampled_from([0.0, 0.05, 0.3])


def slow(z: float, y: float, plus: float, minus: float, margin: float) -> float:
    """One entry, by the formula."""
    p = 1 / (1 + math.exp(-z))
    if y == 1:
        return -((1 - p) ** plus) * math.log(p)
    p_m = max(p - margin, 0.0)
    return -(p_m**minus) * math.log(1 - p_m)


@law
@given(logits=LOGITS, attributes=ATTRIBUTES, plus=GAMMA, minus=GAMMA, margin=MARGIN)
def test_the_value_is_the_obvious_loop(logits, attributes, plus, minus, margin):
    rows = []
    for scores, truth in zip(logits.tolist(), attributes.tolist(), strict=True):
        known = [(z, y) for z, y in zip(scores, truth, strict=True) if not math.isnan(y)]
        rows.append(sum(slow(z, y, plus, minus, margin) for z, y in known) / len(known) if known else None)
    each = asymmetric(logits, attributes, plus, minus, margin, reduction="none").tolist()
    assert each == pytest.approx([row or 0.0 for row in rows], rel=1e-9, abs=1e-12)
    counted = [row for row in rows if row is not None]
    expected = sum(counted) / max(1, len(counted))
    loss = Asymmetric(Asymmetric.Config(gamma_positive=plus, gamma_negative=minus, margin=margin))
    assert loss.forward(logits, attributes).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@law
@given(logits=tensors(SHAPE, -40, 40), attributes=integers(SHAPE, 0, 1))
def test_without_focus_and_margin_it_is_binary_cross_entropy(logits, attributes):
    ours = asymmetric(logits, attributes.double(), 0.0, 0.0, 0.0)
    assert torch.allclose(ours, F.binary_cross_entropy_with_logits(logits, attributes.double()), atol=7e-13)


@law
@given(logits=LOGITS, attributes=ATTRIBUTES, plus=GAMMA, minus=GAMMA, margin=MARGIN, more=GAMMA)
def test_more_focus_and_more_margin_cost_less(logits, attributes, plus, minus, margin, more):
    base = asymmetric(logits, attributes, plus, minus, margin, reduction="none") + 1e-12
    assert (asymmetric(logits, attributes, plus + more, minus, margin, reduction="none") <= base).all()
    assert (asymmetric(logits, attributes, plus, minus + more, margin, reduction="none") <= base).all()
    assert (asymmetric(logits, attributes, plus, minus, margin + 0.1, reduction="none") <= base).all()
    assert (base >= 0).all()


def gradient(logits, attributes, detach, plus=1.0, minus=2.0, margin=0.05):
    leaf = logits.clone().requires_grad_()
    value = asymmetric(leaf, attributes, plus, minus, margin, detach_focus=detach)
    return value.detach(), torch.autograd.grad(value, leaf)[0]


@law
@given(logits=LOGITS, attributes=ATTRIBUTES)
def test_a_detached_focus_keeps_the_value(logits, attributes):
    (one, _), (other, _) = gradient(logits, attributes, False), gradient(logits, attributes, True)
    assert torch.equal(one, other)


def test_gradients_with_and_without_the_focus_by_hand():
    logits = torch.zeros(1, 2, dtype=torch.float64)  # p = 1/2
    truth = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    _, constant = gradient(logits, truth, True, margin=0.0)
    # positive: −(1/2) d log p/dz = −1/4; negative: −(1/4) d log(1 − p)/dz = 1/8; each over 2 attributes
    assert constant[0].tolist() == pytest.approx([-1 / 8, 1 / 16])
    _, whole = gradient(logits, truth, False, margin=0.0)
    # d/dz −(1 − p) log p = p (1 − p) (log p − 1/p + 1), d/dz −p² log(1 − p) = p (1 − p) (p²/(1 − p) − 2p log(1 − p))
    log_half = math.log(0.5)
    assert whole[0].tolist() == pytest.approx([(log_half - 1) / 8, (0.5 - log_half) / 8])


def test_the_focus_has_a_gradient_unless_it_is_detached():
    logits = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    truth = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    (plain,) = torch.autograd.grad(asymmetric(logits, truth, 1.0, 2.0, 0.0), logits)
    assert torch.equal(plain, gradient(logits.detach(), truth, False, margin=0.0)[1])


def test_negatives_under_the_margin_are_dropped():
    logits = torch.tensor([[-4.0, 0.0]], dtype=torch.float64)
    value, slope = gradient(logits, torch.zeros(1, 2, dtype=torch.float64), False, margin=0.1)
    p_m = 0.5 - 0.1
    assert value.item() == pytest.approx(-(p_m**2) * math.log(1 - p_m) / 2)
    assert slope[0, 0] == 0
    assert slope[0, 1] > 0


@pytest.mark.parametrize("margin", [0.0, 0.05])
@pytest.mark.parametrize("minus", [0.0, 0.5, 4.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_saturated_scores_are_finite(margin, minus, dtype):
    logits = torch.tensor([[1e4, -1e4, 1e4, -1e4]], dtype=dtype, requires_grad=True)
    value = asymmetric(logits, torch.tensor([[1.0, 1.0, 0.0, 0.0]]), 0.5, minus, margin)
    assert value.dtype == torch.float32
    assert torch.isfinite(value)
    assert torch.isfinite(torch.autograd.grad(value, logits)[0]).all()


def test_unknown_attributes_may_have_any_score():
    logits = torch.tensor([[0.5, math.nan], [math.nan, math.inf]], requires_grad=True)
    truth = torch.tensor([[1.0, math.nan], [math.nan, math.nan]])
    value = asymmetric(logits, truth, 1.0, 1.0, 0.05)
    assert torch.equal(value, asymmetric(logits[:1, :1], truth[:1, :1], 1.0, 1.0, 0.05))
    slope = torch.autograd.grad(value, logits)[0]
    assert slope[0, 0] != 0
    assert slope.flatten()[1:].tolist() == [0, 0, 0]


def test_nothing_known_gives_zero_with_a_zero_gradient():
    logits = torch.randn(3, 2, requires_grad=True)
    value = Asymmetric().forward(logits, torch.full((3, 2), math.nan))
    assert value == 0
    assert not torch.autograd.grad(value, logits)[0].any()


WRONG = [
    ({"gamma_positive": -0.1}, "^gamma_positive must be a finite number >= 0, got -0.1"),
    ({"gamma_positive": math.inf}, "^gamma_positive must be"),
    ({"gamma_negative": math.nan}, "^gamma_negative must be"),
    ({"gamma_negative": -1.0}, "^gamma_negative must be"),
    ({"margin": -0.01}, r"^margin must be in \[0, 1\), got -0.01"),
    ({"margin": 1.0}, "^margin must be"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Asymmetric.Config(**options)


def test_what_it_is_called():
    assert (Asymmetric.name, Asymmetric.coupling, Asymmetric.normalise_by) == ("asymmetric", "per_sample", "attributes")
    expected = Asymmetric.Config(gamma_positive=0.0, gamma_negative=4.0, margin=0.05, detach_focus=False)
    assert Asymmetric.Config() == expected


def test_the_class_detaches_where_asked():
    logits = torch.zeros(1, 2, dtype=torch.float64)
    truth = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    for detach in (False, True):
        config = Asymmetric.Config(gamma_positive=1.0, gamma_negative=2.0, margin=0.0, detach_focus=detach)
        leaf = logits.clone().requires_grad_()
        (found,) = torch.autograd.grad(Asymmetric(config).forward(leaf, truth), leaf)
        assert torch.equal(found, gradient(logits, truth, detach, margin=0.0)[1])
