"""open_clip: InfoNCE with one to one positives and SigLIP are ours, in value and gradient."""

from __future__ import annotations

import pytest
import torch
from oracle_cases import library
from skinframe_cfa.alignment.clip_infonce import clip_infonce
from skinframe_cfa.alignment.siglip import siglip
from torch.nn import functional as F

loss = library("open_clip.loss")
SCALE, BIAS = torch.tensor(14.3, dtype=torch.float64), torch.tensor(-3.0, dtype=torch.float64)


def pairs(B):
    random = torch.Generator().manual_seed(B)
    drawn = torch.randn(2, B, 8, generator=random, dtype=torch.float64)
    return [F.normalize(each, dim=-1).requires_grad_() for each in drawn]


@pytest.mark.parametrize("B", [1, 2, 17])
@pytest.mark.parametrize("name", ["infonce", "siglip"])
def test_one_to_one_is_open_clips(B, name):
    images, texts = pairs(B)
    identity = torch.eye(B, dtype=torch.bool)
    if name == "infonce":
        values = clip_infonce(images, texts, SCALE, identity), loss.ClipLoss()(images, texts, SCALE)
    else:
        values = siglip(images, texts, SCALE, BIAS, identity), loss.SigLipLoss()(images, texts, SCALE, BIAS)
    assert torch.allclose(*values, rtol=1e-12, atol=1e-14)
    for ours, theirs in zip(*(torch.autograd.grad(value, (images, texts)) for value in values), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-12)
