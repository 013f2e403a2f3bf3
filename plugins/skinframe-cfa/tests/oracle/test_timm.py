"""timm's asymmetric loss is ours on known attributes, with the focusing factors differentiated or not."""

from __future__ import annotations

import pytest
import torch
from oracle_cases import library
from skinframe_cfa.classification.asymmetric import asymmetric

AsymmetricLoss = library("timm.loss").AsymmetricLossMultiLabel


@pytest.mark.parametrize("margin", [0.0, 0.05])
@pytest.mark.parametrize(("positive", "negative"), [(0.0, 0.0), (0.0, 4.0), (1.0, 4.0)])
@pytest.mark.parametrize("stop", [False, True])
def test_value_and_gradient_are_ours(margin, positive, negative, stop):
    random = torch.Generator().manual_seed(2)
    logits = (3 * torch.randn(12, 7, generator=random, dtype=torch.float64)).requires_grad_()
    attributes = torch.randint(0, 2, (12, 7), generator=random).double()
    theirs = AsymmetricLoss(negative, positive, margin, disable_torch_grad_focal_loss=stop, reduction="mean")
    values = theirs(logits, attributes), asymmetric(logits, attributes, positive, negative, margin, detach_focus=stop)
    assert values[0].item() == pytest.approx(values[1].item(), rel=1e-6)
    one, other = (torch.autograd.grad(value, logits)[0] for value in values)
    assert torch.allclose(one, other, rtol=1e-5, atol=1e-8)
