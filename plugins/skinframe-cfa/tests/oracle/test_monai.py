"""MONAI's focal loss: the same terms; its mean, its scalar alpha and its gradient are traps."""

from __future__ import annotations

import pytest
import torch
from oracle_cases import library, scores
from skinframe_cfa.classification.focal import focal

FocalLoss = library("monai.losses").FocalLoss
K = 3


def theirs(logits, labels, **options):
    return FocalLoss(use_softmax=True, to_onehot_y=True, **options)(logits, labels.unsqueeze(1))


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0])
def test_each_sample_is_ours(gamma):
    logits, labels = scores(dtype=torch.float32)
    each = theirs(logits, labels, gamma=gamma, reduction="none").sum(dim=1)
    assert torch.allclose(each, focal(logits, labels, gamma, reduction="none"), rtol=1e-5, atol=1e-6)


def test_trap_the_mean_is_k_times_too_small():
    logits, labels = scores(dtype=torch.float32)
    mean = theirs(logits, labels, gamma=2.0, reduction="mean")
    ours = focal(logits, labels, 2.0)
    assert mean.item() == pytest.approx(ours.item() / K, rel=1e-5)
    assert ours.item() == pytest.approx(focal(logits, labels, 2.0, reduction="none").mean().item())


def test_trap_a_scalar_alpha_takes_class_0_for_background():
    logits, labels = scores(dtype=torch.float32)
    each = theirs(logits, labels, gamma=2.0, alpha=0.75, reduction="none").sum(dim=1)
    hidden = torch.tensor([0.25, 0.75, 0.75])[labels]
    assert torch.allclose(each, focal(logits, labels, 2.0, hidden, "none"), rtol=1e-5, atol=1e-6)
    order = torch.tensor([1, 2, 0])  # the same classes by other numbers: theirs changes, ours with weights does not
    renamed = theirs(logits[:, order.argsort()], order[labels], gamma=2.0, alpha=0.75, reduction="sum")
    assert renamed.item() != pytest.approx(each.sum().item(), rel=0.05)
    weights = torch.tensor([0.5, 1.0, 2.0])
    ours = focal(logits, labels, 2.0, weights[labels])
    again = focal(logits[:, order.argsort()], order[labels], 2.0, weights[order.argsort()][order[labels]])
    assert ours.item() == pytest.approx(again.item(), rel=1e-6)


def test_trap_the_gradient_is_nan_at_saturated_scores():
    found = []
    for loss in (lambda z, y: theirs(z, y, gamma=0.5, reduction="sum"), lambda z, y: focal(z, y, 0.5)):
        logits = torch.tensor([[1e4, -1e4, -1e4]], requires_grad=True)
        found.append(torch.autograd.grad(loss(logits, torch.tensor([0])), logits)[0])
    assert torch.isnan(found[0]).any()
    assert torch.isfinite(found[1]).all()
