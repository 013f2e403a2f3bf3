"""DCA: by hand, against the loop, exact zeros, and the term's duties."""

from __future__ import annotations

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
from skinframe_cfa.calibration.confidence_accuracy_difference import DCA, dca
from skinframe_cfa.calibration.forecasts_and_outcomes import top_label

from skinframe.testing import loss_contract


def build(queue):
    return DCA(DCA.Config(queue=queue))


@law
@given(c=CONFIDENCE, a=CORRECT)
def test_it_is_the_gap_of_the_means(c, a):
    slow = abs(sum(a.tolist()) / len(a) - sum(c.tolist()) / len(c))
    assert dca(c, a).item() == pytest.approx(slow, abs=1e-12)
    assert dca(c, a) <= min(1, (a - c).abs().mean() + 1e-12)


@law
@given(tied=TIED)
def test_exactly_calibrated_groups_score_zero(tied):
    assert dca(*tied) <= 1e-12


def test_draws_come_in_front():
    c, a = torch.tensor([0.5, 0.9]), torch.tensor([[1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    assert dca(c, a).tolist() == pytest.approx([0.3, 0.7, 0.2])


def test_the_term():
    check_declared(DCA, "dca", "batch", {"queue": 512})
    logits, labels = batch()
    assert torch.equal(call(DCA(), logits, labels), dca(*top_label(logits, labels)))
    check_queue_is_dense(build)
    check_memory(build)
    check_extremes(DCA())


@loss_contract(DCA(), examples=8)
def test_contract(loss, check):
    check(loss)
