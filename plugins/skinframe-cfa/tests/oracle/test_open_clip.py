"""open_clip: InfoNCE with one to one positives is ours."""

from __future__ import annotations

import pytest
import torch
from oracle_cases import library
from skinframe_cfa.alignment.clip_infonce import clip_infonce
from torch.nn import functional as F

loss = library("open_clip.loss")


def pairs(B):
    random = torch.Generator().manual_seed(B)
    return (F.normalize(torch.randn(B, 8, generator=random, dtype=torch.float64), dim=-1) for _ in range(2))


@pytest.mark.parametrize("B", [1, 2, 17])
def test_one_to_one_infonce_is_open_clips(B):
    images, texts = pairs(B)
    scale = torch.tensor(14.3, dtype=torch.float64)
    ours = clip_infonce(images, texts, scale, torch.eye(B, dtype=torch.bool))
    assert torch.allclose(ours, loss.ClipLoss()(images, texts, scale), rtol=1e-12, atol=1e-14)
