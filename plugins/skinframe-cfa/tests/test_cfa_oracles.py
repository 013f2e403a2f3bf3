"""Public implementations with the same definition give the same numbers. Skipped where they are not installed."""

from __future__ import annotations

import pytest
import torch
from skinframe_cfa.alignment.clip_infonce import clip_infonce
from skinframe_cfa.classification.focal import focal
from torch.nn import functional as F


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_binary_focal_is_torchvisions(gamma):
    ops = pytest.importorskip("torchvision.ops")
    random = torch.Generator().manual_seed(0)
    d = 5 * torch.randn(40, generator=random, dtype=torch.float64)
    labels = torch.randint(0, 2, (40,), generator=random)
    logits = torch.stack([torch.zeros_like(d), d], dim=1)
    plain = ops.sigmoid_focal_loss(d, labels.double(), alpha=-1, gamma=gamma)
    assert torch.allclose(focal(logits, labels, gamma, reduction="none"), plain, rtol=1e-10, atol=1e-14)
    weights = torch.tensor([0.75, 0.25], dtype=torch.float64)[labels]
    weighted = ops.sigmoid_focal_loss(d, labels.double(), alpha=0.25, gamma=gamma)
    assert torch.allclose(focal(logits, labels, gamma, weights, "none"), weighted, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("B", [1, 2, 17])
def test_one_to_one_infonce_is_open_clips(B):
    loss = pytest.importorskip("open_clip.loss")
    random = torch.Generator().manual_seed(B)
    images = F.normalize(torch.randn(B, 8, generator=random, dtype=torch.float64), dim=-1)
    texts = F.normalize(torch.randn(B, 8, generator=random, dtype=torch.float64), dim=-1)
    scale = torch.tensor(14.3, dtype=torch.float64)
    ours = clip_infonce(images, texts, scale, torch.eye(B, dtype=torch.bool))
    assert torch.allclose(ours, loss.ClipLoss()(images, texts, scale), rtol=1e-12, atol=1e-14)
