"""Logit adjustment: the prior as an offset, in training and after it."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.classification.cross_entropy import cross_entropy
from skinframe_cfa.classification.logit_adjustment import (
    LogitAdjustment,
    log_prior,
    logit_adjustment,
    with_prior,
)
from slow_maths import log_softmax, softmax

from skinframe.testing import integers, tensors

law = settings(deadline=None, derandomize=True, max_examples=50)
LOGITS, LABELS, COUNTS = tensors((5, 4), -20, 20), integers((5,), 0, 3), integers((4,), 1, 5000)
TAU = st.floats(0, 3)


@law
@given(logits=LOGITS, labels=LABELS, counts=COUNTS, tau=TAU)
def test_the_value_is_the_obvious_loop(logits, labels, counts, tau):
    n = counts.tolist()
    expected = []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        moved = [z + tau * math.log(n_k / sum(n)) for z, n_k in zip(row, n, strict=True)]
        expected.append(-log_softmax(moved)[label])
    assert logit_adjustment(logits, labels, counts, tau, "none").tolist() == pytest.approx(expected)
    loss = LogitAdjustment(LogitAdjustment.Config(tau=tau))
    assert loss.forward(logits, labels, counts).item() == pytest.approx(sum(expected) / 5)


@law
@given(logits=LOGITS, labels=integers((5,), -1, 3), counts=COUNTS, tau=TAU, size=st.integers(1, 50))
def test_without_a_prior_it_is_cross_entropy(logits, labels, counts, tau, size):
    plain = cross_entropy(logits, labels, reduction="none")
    assert torch.allclose(logit_adjustment(logits, labels, counts, 0.0, "none"), plain)
    uniform = torch.full((4,), size)
    assert torch.allclose(logit_adjustment(logits, labels, uniform, tau, "none"), plain)


@law
@given(logits=LOGITS, labels=LABELS, counts=COUNTS, tau=TAU, factor=st.integers(2, 9))
def test_only_the_ratios_of_the_counts_matter(logits, labels, counts, tau, factor):
    one = logit_adjustment(logits, labels, counts, tau)
    assert torch.allclose(one, logit_adjustment(logits, labels, factor * counts, tau))


def test_by_hand():
    counts = torch.tensor([30, 10])
    assert log_prior(counts).tolist() == pytest.approx([math.log(0.75), math.log(0.25)])
    logits = torch.zeros(1, 2, dtype=torch.float64)
    assert logit_adjustment(logits, torch.tensor([1]), counts).item() == pytest.approx(-math.log(0.25))
    assert logit_adjustment(logits, torch.tensor([0]), counts, 2.0).item() == pytest.approx(-math.log(0.9))
    assert with_prior(logits, torch.tensor([3.0, 1.0])).tolist()[0] == pytest.approx([0.75, 0.25])


@law
@given(logits=LOGITS, prior=tensors((4,), 0.01, 1))
def test_deployment_multiplies_by_the_prior(logits, prior):
    for ours, row in zip(with_prior(logits, prior).tolist(), logits.tolist(), strict=True):
        raw = [p * w for p, w in zip(softmax(row), prior.tolist(), strict=True)]
        assert ours == pytest.approx([x / sum(raw) for x in raw])


def test_a_class_that_cannot_come_gets_probability_zero():
    p = with_prior(torch.tensor([[9.0, 1.0, 0.0]]), torch.tensor([0.0, 1.0, 1.0]))
    assert p.tolist()[0] == pytest.approx([0.0, math.e / (math.e + 1), 1 / (math.e + 1)])


@pytest.mark.parametrize("prior", [[0.0, 0.0], [0.5, -0.1], [math.nan, 1.0]])
def test_a_prior_that_is_none_is_refused(prior):
    with pytest.raises(ValueError, match=r"^prior must hold numbers >= 0 that are not all 0, got"):
        with_prior(torch.zeros(1, 2), torch.tensor(prior))


def test_an_empty_class_is_an_error_that_names_it():
    counts = torch.tensor([5, 0, 2])
    for call in (
        lambda: logit_adjustment(torch.zeros(1, 3), torch.tensor([0]), counts),
        lambda: LogitAdjustment().derived([5, 0, 2]),
    ):
        with pytest.raises(ValueError, match=r"^tau: no training sample of class 1, so"):
            call()


def test_precision_follows_the_scores():
    counts = torch.tensor([30, 10])
    assert logit_adjustment(torch.zeros(1, 2, dtype=torch.bfloat16), torch.tensor([0]), counts).dtype == torch.float32
    assert with_prior(torch.zeros(1, 2, dtype=torch.float64), counts).dtype == torch.float64


def test_what_it_shows_and_is_called():
    assert LogitAdjustment(LogitAdjustment.Config(tau=2.0)).derived([30, 10]) == {
        "score offset": pytest.approx([2 * math.log(0.75), 2 * math.log(0.25)])
    }
    assert (LogitAdjustment.name, LogitAdjustment.coupling) == ("logit_adjustment", "per_sample")
    assert LogitAdjustment.Config().tau == 1.0
    assert LogitAdjustment.Config(tau=0.0).tau == 0.0


@pytest.mark.parametrize("tau", [-0.1, math.inf, math.nan])
def test_a_tau_out_of_range_is_refused(tau):
    with pytest.raises(ValueError, match=r"^tau must be a finite number >= 0, got"):
        LogitAdjustment.Config(tau=tau)
