"""LDAM: margins by hand, the obvious loop, its limits and its order."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.classification.cross_entropy import cross_entropy
from skinframe_cfa.classification.ldam import LDAM, ldam, margins
from slow_maths import log_softmax

from skinframe.testing import integers, tensors

law = settings(deadline=None, derandomize=True, max_examples=50)
LOGITS, LABELS, COUNTS = tensors((5, 4), -1, 1), integers((5,), 0, 3), integers((4,), 1, 5000)
MARGIN, SCALE = st.floats(0, 2), st.floats(0.1, 30)


@law
@given(logits=LOGITS, labels=LABELS, counts=COUNTS, margin=MARGIN, scale=SCALE)
def test_the_value_is_the_obvious_loop(logits, labels, counts, margin, scale):
    n = counts.tolist()
    expected = []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        moved = [scale * z for z in row]
        moved[label] = scale * (row[label] - margin / (n[label] / min(n)) ** 0.25)
        expected.append(-log_softmax(moved)[label])
    assert ldam(logits, labels, counts, margin, scale, "none").tolist() == pytest.approx(expected)
    loss = LDAM(LDAM.Config(margin=margin, scale=scale))
    assert loss.forward(logits, labels, counts).item() == pytest.approx(sum(expected) / 5)


@law
@given(logits=LOGITS, labels=integers((5,), -1, 3), counts=COUNTS, margin=MARGIN, more=MARGIN, scale=SCALE)
def test_no_margin_is_scaled_cross_entropy_and_more_costs_more(logits, labels, counts, margin, more, scale):
    plain = cross_entropy(scale * logits, labels, reduction="none")
    assert torch.allclose(ldam(logits, labels, counts, 0.0, scale, "none"), plain)
    some = ldam(logits, labels, counts, margin, scale, "none")
    assert (some >= plain - 1e-9).all()
    assert (ldam(logits, labels, counts, margin + more, scale, "none") >= some - 1e-9).all()


def test_margins_by_hand():
    assert margins(torch.tensor([16, 1, 256]), 0.5).tolist() == pytest.approx([0.25, 0.5, 0.125])
    assert margins(torch.tensor([32, 2]), 1.0).dtype == torch.float64
    value = ldam(torch.zeros(1, 2, dtype=torch.float64), torch.tensor([0]), torch.tensor([16, 1]), 0.5, 2.0)
    assert value.item() == pytest.approx(math.log1p(math.exp(0.5)))


def test_a_masked_sample_may_even_be_nan():
    logits, counts = torch.tensor([[0.3, -0.2], [math.nan, math.inf]]), torch.tensor([3, 9])
    masked = ldam(logits, torch.tensor([0, -100]), counts, 0.5, 1.0)
    assert torch.equal(masked, ldam(logits[:1], torch.tensor([0]), counts, 0.5, 1.0))


def test_an_empty_class_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"^margin: no training sample of class 0, 2, so"):
        LDAM().derived([0, 5, 0])
    with pytest.raises(ValueError, match=r"^margin: no training sample of class 1, so"):
        LDAM().forward(torch.zeros(1, 2), torch.tensor([0]), torch.tensor([4, 0]))


WRONG = [
    ({"margin": -0.1}, r"^margin must be a finite number >= 0, got -0.1"),
    ({"margin": math.inf}, "^margin must be"),
    ({"scale": 0.0}, r"^scale must be a finite number > 0, got 0.0"),
    ({"scale": math.nan}, "^scale must be"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LDAM.Config(**options)


def test_what_it_shows_and_is_called():
    assert LDAM(LDAM.Config(margin=1.0)).derived([16, 1]) == {"margin": pytest.approx([0.5, 1.0])}
    assert (LDAM.name, LDAM.coupling) == ("ldam", "per_sample")
    assert LDAM.Config() == LDAM.Config(margin=0.5, scale=1.0)
    assert LDAM.Config(margin=0.0).margin == 0
