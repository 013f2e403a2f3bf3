"""torchvision: its binary focal loss is ours; its import is its trap, so the plugin must not need it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from oracle_cases import library
from skinframe_cfa.classification.focal import focal

ops = library("torchvision.ops")


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_binary_focal_is_torchvisions(gamma):
    random = torch.Generator().manual_seed(0)
    d = 5 * torch.randn(40, generator=random, dtype=torch.float64)
    labels = torch.randint(0, 2, (40,), generator=random)
    logits = torch.stack([torch.zeros_like(d), d], dim=1)
    plain = ops.sigmoid_focal_loss(d, labels.double(), alpha=-1, gamma=gamma)
    assert torch.allclose(focal(logits, labels, gamma, reduction="none"), plain, rtol=1e-10, atol=1e-14)
    weights = torch.tensor([0.75, 0.25], dtype=torch.float64)[labels]
    weighted = ops.sigmoid_focal_loss(d, labels.double(), alpha=0.25, gamma=gamma)
    assert torch.allclose(focal(logits, labels, gamma, weights, "none"), weighted, rtol=1e-10, atol=1e-14)


def test_no_term_imports_torchvision():
    """A wheel of it beside a torch of another build fails at import: the terms must work without."""
    code = (
        "import sys, torch, skinframe_cfa\n"
        "from skinframe.signals import needs\n"
        "given = {'logits': torch.zeros(2, 3), 'labels': torch.tensor([0, 1])}\n"
        "for loss in skinframe_cfa.register_losses():\n"
        "    names = {need.parameter for need in needs(loss.forward) if not need.optional}\n"
        "    if names <= set(given) and loss.name != 'focal':\n"
        "        loss(loss.Config()).forward(**{name: given[name] for name in names})\n"
        "assert not {'torchvision', 'open_clip', 'torchmetrics'} & set(sys.modules)\n"
    )
    options = ("flsd", "adaptive_focal")  # they ask for class counts by default, as focal does
    code = code.replace("loss.name != 'focal'", f"loss.name not in {('focal', *options)!r}")
    subprocess.run([sys.executable, "-c", code], check=True)
