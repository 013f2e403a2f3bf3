"""MDCA: by hand, against the loop, exact zeros, and the term's duties."""

from __future__ import annotations

import pytest
import torch
from calibration_cases import (
    batch,
    call,
    check_declared,
    check_extremes,
    check_memory,
    check_queue_is_dense,
    law,
    tie_groups,
)
from hypothesis import given
from skinframe_cfa.calibration.confidence_accuracy_difference import MDCA, dca, mdca

from skinframe.testing import integers, loss_contract, tensors


def build(queue):
    return MDCA(MDCA.Config(queue=queue))


def slow_mdca(p, labels):
    n, K, total = len(p), len(p[0]), 0.0
    for k in range(K):
        total += abs(sum(row[k] for row in p) / n - sum(1 for y in labels if y == k) / n)
    return total / K


@law
@given(logits=tensors((6, 4), -20, 20), labels=integers((6,), 0, 3))
def test_it_is_the_obvious_loop(logits, labels):
    p = logits.softmax(1)
    assert mdca(p, labels).item() == pytest.approx(slow_mdca(p.tolist(), labels.tolist()), abs=1e-12)
    assert mdca(p, labels) <= 2 / 4


def test_by_hand_and_draws_come_in_front():
    p = torch.tensor([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1]], dtype=torch.float64)
    first, second = (0.2 + 0.3 + 0.1) / 3, (0.7 + 0.2 + 0.9) / 3
    assert mdca(p, torch.tensor([[0, 1], [2, 2]])).tolist() == pytest.approx([first, second])


@law
@given(group=tie_groups())
def test_exact_class_means_score_zero(group):
    logits, labels = group
    assert mdca(logits.softmax(1), labels) <= 1e-12


def test_it_hears_a_class_that_dca_does_not():
    """Two classes that are wrong in opposite ways cancel in the top label."""
    p = torch.tensor([[0.75, 0.25, 0.0], [0.75, 0.25, 0.0]], dtype=torch.float64)
    assert dca(torch.tensor([0.75, 0.75]), torch.tensor([1.0, 0.5])) == 0
    assert mdca(p, torch.tensor([0, 2])) > 0.3


def test_the_term():
    check_declared(MDCA, "mdca", "batch", {"queue": 512})
    logits, labels = batch()
    assert torch.equal(call(MDCA(), logits, labels), mdca(logits.softmax(1), labels))
    check_queue_is_dense(build)
    check_memory(build)
    check_extremes(MDCA())


@loss_contract(MDCA(), examples=8)
def test_contract(loss, check):
    check(loss)
