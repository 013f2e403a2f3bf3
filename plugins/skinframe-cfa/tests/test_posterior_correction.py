"""The way back from weighted probabilities to those of a population."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from skinframe_cfa.classification.posterior_correction import undo_prior_shift
from slow_maths import softmax

from skinframe.testing import tensors

law = settings(deadline=None, derandomize=True, max_examples=50)
SCORES, POSITIVE = tensors((3, 4), -5, 5), tensors((4,), 0.01, 3)


@law
@given(scores=SCORES, w=POSITIVE)
def test_weights_that_moved_the_posterior_are_divided_out(scores, w):
    eta = [softmax(row) for row in scores.tolist()]
    moved = []
    for row in eta:
        raw = [w_k * e for w_k, e in zip(w.tolist(), row, strict=True)]
        moved.append([x / sum(raw) for x in raw])
    found = undo_prior_shift(torch.tensor(moved, dtype=torch.float64), w)
    for ours, row in zip(found.tolist(), eta, strict=True):
        assert ours == pytest.approx(row, rel=1e-9)


@law
@given(scores=SCORES, w=POSITIVE, deploy=POSITIVE, train=POSITIVE)
def test_another_prior_is_the_obvious_loop(scores, w, deploy, train):
    p = scores.softmax(1)
    found = undo_prior_shift(p, w, deploy, train)
    for ours, row in zip(found.tolist(), p.tolist(), strict=True):
        raw = [x / a * b / c for x, a, b, c in zip(row, w.tolist(), deploy.tolist(), train.tolist(), strict=True)]
        assert ours == pytest.approx([x / sum(raw) for x in raw])
    assert torch.allclose(undo_prior_shift(p, w, train, train), undo_prior_shift(p, w))


def test_by_hand():
    p = torch.tensor([[0.5, 0.5]], dtype=torch.float64)
    assert undo_prior_shift(p, torch.tensor([1.0, 3.0])).tolist()[0] == pytest.approx([0.75, 0.25])
    # weights that made both classes equally common; deployed where the second is nine times as common
    inverse, train = torch.tensor([2 / 3, 2.0]), torch.tensor([30, 10])
    moved = undo_prior_shift(p, inverse, torch.tensor([0.1, 0.9]), train)
    assert moved.tolist()[0] == pytest.approx([0.1, 0.9], rel=1e-6)


def test_a_class_that_cannot_come_gets_probability_zero():
    moved = undo_prior_shift(torch.tensor([[0.2, 0.8]]), torch.ones(2), torch.tensor([1.0, 0.0]), torch.ones(2))
    assert moved.tolist() == [[1.0, 0.0]]
    assert moved.dtype == torch.float32


@pytest.mark.parametrize("w", [[1.0, 0.0], [1.0, -2.0], [1.0, math.inf], [1.0, math.nan]])
def test_weights_must_be_positive(w):
    with pytest.raises(ValueError, match=r"^w must hold finite numbers > 0, got"):
        undo_prior_shift(torch.tensor([[0.5, 0.5]]), torch.tensor(w))
    with pytest.raises(ValueError, match=r"^pi_train must hold finite numbers > 0, got"):
        undo_prior_shift(torch.tensor([[0.5, 0.5]]), torch.ones(2), torch.ones(2), torch.tensor(w))


@pytest.mark.parametrize("priors", [{"pi_deploy": torch.ones(2)}, {"pi_train": torch.ones(2)}])
def test_one_prior_alone_is_refused(priors):
    with pytest.raises(ValueError, match=r"^pi_deploy and pi_train belong together"):
        undo_prior_shift(torch.tensor([[0.5, 0.5]]), torch.ones(2), **priors)
