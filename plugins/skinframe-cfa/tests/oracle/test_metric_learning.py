"""pytorch-metric-learning's SupConLoss, both ways, is our multi-positive loss; equal label objects are its trap."""

from __future__ import annotations

import pytest
import torch
from oracle_cases import library
from skinframe_cfa.alignment.multi_positive_contrastive import multi_positive
from torch.nn import functional as F

losses = library("pytorch_metric_learning.losses")
TEMPERATURE = 0.2


def sides():
    random = torch.Generator().manual_seed(4)
    images, noise = torch.randn(2, 9, 8, generator=random, dtype=torch.float64)
    images, texts = (F.normalize(each, dim=-1) for each in (images, images + 0.3 * noise))  # pairs are alike
    return images, texts, torch.tensor([0, 0, 0, 1, 1, 2, 3, 3, 4])


def supcon(images, texts, labels, others):
    loss = losses.SupConLoss(temperature=TEMPERATURE)
    return (
        loss(images, labels, ref_emb=texts, ref_labels=others) + loss(texts, labels, ref_emb=images, ref_labels=others)
    ) / 2


def test_with_a_clone_of_the_labels_it_is_ours():
    images, texts, labels = sides()
    ours = multi_positive(images @ texts.T / TEMPERATURE, labels.unsqueeze(0) == labels.unsqueeze(1))
    assert supcon(images, texts, labels, labels.clone()).item() == pytest.approx(ours.item(), rel=1e-9)


def test_trap_the_same_label_object_drops_the_diagonal_pairs():
    """An image's own text is then no positive of it, and singletons are left out in silence."""
    images, texts, labels = sides()
    ours = multi_positive(images @ texts.T / TEMPERATURE, labels.unsqueeze(0) == labels.unsqueeze(1))
    dropped = supcon(images, texts, labels, labels)
    assert abs(dropped.item() - ours.item()) > 0.1
