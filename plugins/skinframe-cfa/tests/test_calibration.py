"""Calibration terms: exact zeros, inequalities, limits, the queue and its floor."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.calibration.brier import brier
from skinframe_cfa.calibration.mdca import MDCA, mdca, mdca_floor
from skinframe_cfa.calibration.soft_ece import SoftECE, soft_ece, soft_ece_floor
from skinframe_cfa.calibration.top_label import top_label

from skinframe.testing import integers, tensors

law = settings(deadline=None, derandomize=True, max_examples=40)
BINS = st.integers(1, 20)
TEMPERATURE = st.floats(1e-4, 1.0)


@st.composite
def tie_groups(draw):
    """Draw binary scores whose confidence is the exact accuracy of its group of tied samples."""
    sizes = draw(st.lists(st.integers(2, 7), min_size=1, max_size=5))
    logits, labels = [], []
    for n in sizes:
        right = draw(st.integers(n // 2 + 1, n - 1)) if n > 2 else 1
        accuracy = Fraction(right, n)
        logits += [[float(accuracy.numerator), float(accuracy.denominator - accuracy.numerator)]] * n
        labels += [0] * right + [1] * (n - right)
    return torch.tensor(logits, dtype=torch.float64).log(), torch.tensor(labels)


@law
@given(group=tie_groups(), bins=BINS, temperature=TEMPERATURE)
def test_exactly_calibrated_groups_score_zero(group, bins, temperature):
    logits, labels = group
    assert soft_ece(*top_label(logits, labels), bins, temperature) <= 1e-12
    assert mdca(logits.softmax(1), labels) <= 1e-12
    assert brier(logits, labels) > 0.05


@law
@given(c=tensors((9,), 0, 1), a=integers((9,), 0, 1), bins=BINS, temperature=TEMPERATURE)
def test_soft_ece_lies_between_its_bounds(c, a, bins, temperature):
    a = a.to(c.dtype)
    value = soft_ece(c, a, bins, temperature)
    assert value >= (a - c).mean().abs() - 1e-12
    assert value <= (a - c).abs().mean() + 1e-12
    assert torch.allclose(soft_ece(c, a, 1, temperature), (a - c).mean().abs())


def hard_ece(c: list[float], a: list[float], bins: int) -> float:
    """Equal-width ECE, the obvious way."""
    total = 0.0
    for j in range(bins):
        inside = [i for i in range(len(c)) if min(int(c[i] * bins), bins - 1) == j]
        if inside:
            total += abs(sum(a[i] - c[i] for i in inside))
    return total / len(c)


def test_cold_soft_bins_are_hard_bins():
    rng = np.random.default_rng(3)
    c, a = rng.beta(6, 1.2, 400), (rng.random(400) < 0.6).astype(float)
    expected = hard_ece(c.tolist(), a.tolist(), 15)
    warm = [soft_ece(torch.tensor(c), torch.tensor(a), 15, t).item() for t in (1e-1, 1e-3, 1e-8)]
    assert warm[-1] == pytest.approx(expected, abs=1e-6)
    assert abs(warm[0] - expected) > abs(warm[1] - expected)


def test_soft_ece_by_hand():
    c, a = torch.tensor([0.5, 0.9], dtype=torch.float64), torch.tensor([1.0, 0.0], dtype=torch.float64)
    # centres 1/4 and 3/4, T = 1/16: c = 0.5 belongs to both equally, c = 0.9 by (0.65² − 0.15²) · 16 = 6.4
    low = 1 / (1 + np.exp(6.4))
    expected = (abs(0.25 - 0.9 * low) + abs(0.25 - 0.9 * (1 - low))) / 2
    assert soft_ece(c, a, 2, 1 / 16).item() == pytest.approx(expected)


def test_ties_for_the_top_share_the_correctness():
    confidence, correct = top_label(torch.tensor([[1.0, 1.0, 0.0], [2.0, 0.0, 0.0]]), torch.tensor([1, 1]))
    assert correct.tolist() == [0.5, 0.0]
    assert confidence[0].item() == pytest.approx(np.e / (2 * np.e + 1))


def test_floor_is_the_expectation_over_every_outcome():
    c = torch.tensor([0.5, 0.62, 0.7, 0.8, 0.88, 0.97], dtype=torch.float64)
    exact = 0.0
    for outcome in product([0.0, 1.0], repeat=6):
        a = torch.tensor(outcome, dtype=torch.float64)
        exact += (torch.where(a == 1, c, 1 - c).prod() * soft_ece(c, a)).item()
    assert soft_ece_floor(c, draws=20_000) == pytest.approx(exact, rel=0.02)
    assert soft_ece_floor(c) == pytest.approx(exact, rel=0.1)
    assert soft_ece_floor(c) == soft_ece_floor(c)


def test_floor_falls_with_the_number_of_samples():
    """At four samples the term of a perfectly calibrated model is mostly noise; that is what the queue is for."""
    rng = np.random.default_rng(0)
    floors = [soft_ece_floor(torch.from_numpy(rng.beta(6, 1.2, n))) for n in (4, 64, 1024)]
    assert floors[0] > 0.1
    assert floors[2] < 0.02
    assert floors == sorted(floors, reverse=True)


def test_mdca_floor_is_what_a_calibrated_model_scores():
    p = torch.rand(200, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    p = p / p.sum(1, keepdim=True)
    rng = np.random.default_rng(5)
    drawn = [mdca(p, torch.tensor([rng.choice(4, p=row) for row in p.numpy()])).item() for _ in range(60)]
    assert mdca_floor(p) == pytest.approx(np.mean(drawn), rel=0.12)
    assert mdca_floor(p) == mdca_floor(p)


def test_mdca_by_hand():
    p = torch.tensor([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1]], dtype=torch.float64)
    assert mdca(p, torch.tensor([0, 1])).item() == pytest.approx((abs(0.7 - 0.5) + abs(0.2 - 0.5) + 0.1) / 3)


@law
@given(logits=tensors((4, 3), -20, 20), labels=integers((4,), 0, 2))
def test_brier_range(logits, labels):
    each = brier(logits, labels, "none")
    assert (each >= 0).all()
    assert (each <= 2 + 1e-12).all()


def test_brier_by_hand():
    logits = torch.tensor([[3.0, 1.0]], dtype=torch.float64).log()
    assert brier(logits, torch.tensor([0])).item() == pytest.approx(2 * 0.25**2)
    assert brier(logits, torch.tensor([1])).item() == pytest.approx(2 * 0.75**2)


@pytest.fixture(params=[SoftECE, MDCA])
def build(request):
    return lambda queue: request.param(request.param.Config(queue=queue))


@pytest.fixture
def batch():
    random = torch.Generator().manual_seed(7)
    logits = 2 * torch.randn(24, 5, generator=random, dtype=torch.float64)
    return logits, torch.randint(0, 5, (24,), generator=random)


def test_micro_batches_with_a_queue_have_the_gradient_of_one_batch(build, batch):
    logits, labels = batch
    dense = logits.clone().requires_grad_()
    whole = build(0).forward(dense, labels)
    (expected,) = torch.autograd.grad(whole, dense)
    found = torch.zeros_like(logits)
    for part in torch.arange(24).split(6):
        others = torch.tensor([i for i in range(24) if i not in part])
        loss = build(512)
        loss.forward(logits[others], labels[others])
        live = logits[part].clone().requires_grad_()
        value = loss.forward(live, labels[part])
        assert value.item() == pytest.approx(whole.item(), rel=1e-12)
        (gradient,) = torch.autograd.grad(value * len(part) / 24, live)
        found[part] = gradient
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-14)


def test_queue_forgets_the_oldest_and_survives_a_resume(build, batch):
    logits, labels = batch
    loss = build(10)
    for part in torch.arange(24).split(6):
        loss.forward(logits[part], labels[part])
    assert {len(rows) for rows in loss.state().values()} == {10}
    assert not any(rows.requires_grad for rows in loss.state().values())
    recent = build(10)
    recent.forward(logits[14:], labels[14:])
    for name, rows in recent.state().items():
        assert torch.allclose(loss.state()[name], rows)
    resumed = build(10)
    resumed.load_state(loss.state())
    assert torch.equal(resumed.forward(logits[:6], labels[:6]), loss.forward(logits[:6], labels[:6]))
    assert resumed.floor() == loss.floor()
    with pytest.raises(ValueError, match="do not fit a queue of 4"):
        build(4).load_state(loss.state())


def test_a_masked_sample_enters_neither_the_value_nor_the_queue(build, batch):
    logits, labels = batch
    loss = build(512)
    assert loss.floor() is None
    assert loss.forward(logits, torch.full((24,), -100)) == 0
    assert loss.state() == {}
    assert loss.floor() is None
    masked = torch.where(torch.arange(24) < 20, labels, -100)
    loss.forward(logits, masked)
    assert {len(rows) for rows in loss.state().values()} == {20}
    assert loss.floor() > 0
