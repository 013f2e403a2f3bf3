"""kornia's focal loss: the same terms; its mean and its alpha are traps, its gradient no longer is."""

from __future__ import annotations

import pytest
import torch
from oracle_cases import library, scores
from skinframe_cfa.classification.focal import focal

focal_loss = library("kornia.losses").focal_loss
K = 3


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_each_sample_is_ours(gamma):
    logits, labels = scores()
    each = focal_loss(logits, labels, alpha=None, gamma=gamma, reduction="none").sum(dim=1)
    assert torch.allclose(each, focal(logits, labels, gamma, reduction="none"), rtol=1e-10, atol=1e-12)


def test_trap_the_mean_is_k_times_too_small():
    logits, labels = scores()
    mean = focal_loss(logits, labels, alpha=None, gamma=2.0, reduction="mean")
    assert mean.item() == pytest.approx(focal(logits, labels, 2.0).item() / K, rel=1e-10)


def test_trap_alpha_takes_class_0_for_background():
    logits, labels = scores()
    each = focal_loss(logits, labels, alpha=0.75, gamma=2.0, reduction="none").sum(dim=1)
    hidden = torch.tensor([0.25, 0.75, 0.75], dtype=torch.float64)[labels]
    assert torch.allclose(each, focal(logits, labels, 2.0, hidden, "none"), rtol=1e-10, atol=1e-12)


def test_its_gradient_at_saturated_scores_is_finite_as_ours():
    """From 0.9 on; earlier versions gave NaN, as MONAI does."""
    for loss in (lambda z, y: focal_loss(z, y, None, 0.5, "mean"), lambda z, y: focal(z, y, 0.5)):
        logits = torch.tensor([[1e4, -1e4, -1e4]], requires_grad=True)
        assert torch.isfinite(torch.autograd.grad(loss(logits, torch.tensor([0])), logits)[0]).all()
