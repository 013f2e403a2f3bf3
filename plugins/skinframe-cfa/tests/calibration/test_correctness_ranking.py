"""Correctness ranking: against the double loop, the history over epochs, the floor, and the term's duties."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from calibration_cases import (
    CONFIDENCE,
    batch,
    call,
    check_declared,
    check_extremes,
    check_queue_is_dense,
    law,
)
from hypothesis import given
from skinframe_cfa.calibration.correctness_ranking import CorrectnessRanking, correctness_ranking, ranking_floor
from skinframe_cfa.calibration.forecasts_and_outcomes import top_label

from skinframe.testing import loss_contract, tensors

LATER = CorrectnessRanking.Config(current=False)


def build(queue):
    return CorrectnessRanking(CorrectnessRanking.Config(queue=queue))


def slow_ranking(c, k):
    total, pairs = 0.0, 0
    for i, j in product(range(len(c)), repeat=2):
        if i < j:
            sign = (k[i] > k[j]) - (k[i] < k[j])
            total += max(0.0, -sign * (c[i] - c[j]) + abs(k[i] - k[j]))
            pairs += 1
    return total / pairs


@law
@given(c=CONFIDENCE, rate=tensors((7,), 0, 1))
def test_it_is_the_obvious_double_loop(c, rate):
    found = correctness_ranking(c, rate)
    assert found.item() == pytest.approx(slow_ranking(c.tolist(), rate.tolist()), rel=1e-9, abs=1e-12)
    assert 0 <= found <= 2
    assert correctness_ranking(rate, rate) <= 1e-12
    assert correctness_ranking(rate / 2, rate / 2 + 0.25) <= 1e-12  # only differences count


def test_by_hand_and_one_sample():
    c, k = torch.tensor([0.9, 0.6, 0.8]), torch.tensor([0.5, 1.0, 0.5])
    assert correctness_ranking(c, k).item() == pytest.approx((0.8 + 0 + 0.7) / 3)
    assert correctness_ranking(c[:1], k[:1]) == 0
    assert correctness_ranking(c[:2], k[:2]).item() == pytest.approx(0.8)


def test_the_floor_is_the_expectation_over_every_history():
    c, visits = torch.tensor([0.6, 0.9, 0.75], dtype=torch.float64), torch.tensor([1.0, 1.0, 2.0])
    exact = 0.0
    for right in product(range(2), range(2), range(3)):
        ways = [1, 2, 1][right[2]]
        chance = ways
        for p, n, m in zip(c.tolist(), (1, 1, 2), right, strict=True):
            chance *= p**m * (1 - p) ** (n - m)
        exact += chance * correctness_ranking(c, torch.tensor(right) / visits.double()).item()
    assert ranking_floor(c, visits, draws=5000) == pytest.approx(exact, rel=0.02)
    assert ranking_floor(c, visits) == ranking_floor(c, visits, 341)
    many, once = torch.full((300,), 0.7), torch.ones(300)
    assert ranking_floor(many, once) == ranking_floor(many, once, 4)
    assert ranking_floor(c.float().requires_grad_(), visits) == pytest.approx(ranking_floor(c, visits), rel=1e-5)


def test_confidences_rounded_beyond_0_and_1_have_the_floor_of_the_edge():
    visits = torch.tensor([3.0, 3.0])
    beyond, edge = torch.tensor([1 + 1e-6, -1e-6]), torch.tensor([1.0, 0.0])
    assert ranking_floor(beyond, visits) == pytest.approx(ranking_floor(edge, visits), abs=1e-5)


def test_the_floor_falls_with_the_visits():
    c = torch.linspace(0.5, 1, 50)
    floors = [ranking_floor(c, torch.full((50,), float(n))) for n in (1, 4, 100)]
    assert floors == sorted(floors, reverse=True)
    assert floors[0] > 4 * floors[2]


def test_the_history_is_kept_by_sample_over_epochs_in_any_order():
    """Sample 0 is right twice, sample 1 once, sample 2 never."""
    right, wrong = [3.0, 0.0], [0.0, 2.0]
    labels = torch.zeros(3, dtype=torch.long)
    loss = CorrectnessRanking(CorrectnessRanking.Config(queue=0))
    call(loss, torch.tensor([wrong, right, right]), labels, torch.tensor([2, 0, 1]))
    scores = torch.tensor([right, wrong, wrong])
    value = call(loss, scores, labels, torch.tensor([0, 1, 2]))
    c, _ = top_label(scores, labels)
    assert torch.allclose(value, correctness_ranking(c, torch.tensor([1.0, 0.5, 0.0])))
    assert loss.floor() == pytest.approx(ranking_floor(c, torch.full((3,), 2.0)))


def test_as_released_a_visit_counts_from_the_next_one_on():
    logits, labels = batch(6)
    loss = CorrectnessRanking(LATER)
    live = logits.clone().requires_grad_()
    value = call(loss, live, labels)
    assert value == 0
    assert not torch.autograd.grad(value, live)[0].any()
    assert loss.floor() is None
    assert set(loss.state()) == {"right", "visits"}
    _, correct = top_label(logits, labels)
    other = -logits  # now other samples are right, and that does not count yet
    assert torch.equal(call(loss, other, labels), correctness_ranking(top_label(other, labels)[0], correct))
    new = torch.arange(6) + 3
    found = call(CorrectnessRanking(CorrectnessRanking.Config(current=False, queue=0)), logits, labels, new)
    assert found == 0


def test_samples_without_a_history_are_in_no_pair_and_the_gradient_follows():
    logits, labels = batch(6)
    loss = CorrectnessRanking(CorrectnessRanking.Config(current=False, queue=0))
    call(loss, logits[:4], labels[:4])
    live = logits.clone().requires_grad_()
    value = call(loss, live, labels)
    c, correct = top_label(live, labels)
    assert torch.equal(value, correctness_ranking(c[:4], correct[:4]))
    assert not torch.autograd.grad(value, live)[0][4:].any()


def test_a_sample_without_an_id_or_a_label_is_left_out():
    logits, labels = batch(6)
    loss, plain = CorrectnessRanking(), CorrectnessRanking()
    masked = torch.where(torch.arange(6) == 1, -100, labels)
    value = call(loss, logits, masked, torch.tensor([0, 1, 2, -1, 4, 5]))
    keep = torch.tensor([0, 2, 4, 5])
    assert torch.equal(value, call(plain, logits[keep], labels[keep], keep))
    assert loss.state()["visits"].tolist() == [1, 0, 1, 0, 1, 1]


def test_history_and_queue_survive_a_resume():
    logits, labels = batch(12)
    loss = build(8)
    call(loss, logits, labels)
    state = loss.state()
    assert int(state.pop("queue_filled")) == 8
    assert {name: len(rows) for name, rows in state.items()} == {
        "right": 12,
        "visits": 12,
        "queue_confidence": 8,
        "queue_rate": 8,
        "queue_visits": 8,
    }
    resumed = build(8)
    resumed.load_state(state)
    assert all(torch.equal(resumed.state()[name], rows) for name, rows in state.items())
    assert torch.equal(call(resumed, logits.flip(0), labels), call(loss, logits.flip(0), labels))
    with pytest.raises(ValueError, match="do not fit a queue of 4"):
        build(4).load_state(state)


def test_the_term():
    check_declared(CorrectnessRanking, "correctness_ranking", "batch", {"current": True, "queue": 512})
    check_queue_is_dense(build)
    check_extremes(CorrectnessRanking())
    check_extremes(CorrectnessRanking(LATER))
    with pytest.raises(ValueError, match=r"^queue must be >= 0, got -1$"):
        build(-1)


@loss_contract(CorrectnessRanking(), CorrectnessRanking(LATER), examples=8)
def test_contract(loss, check):
    check(loss)
