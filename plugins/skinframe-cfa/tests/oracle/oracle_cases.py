"""What the comparisons share: how a library is asked for, and samples in general position."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest
import torch
from skinframe_cfa.calibration.forecasts_and_outcomes import top_label


def library(name: str) -> ModuleType:
    """Import a library, or skip the file with the reason.

    RuntimeError as well: a torchvision wheel beside a torch of another build fails so, and takes others with it.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as error:
        reason = f"{name} cannot be imported ({type(error).__name__}: {error}); run `uv run tox -e oracle`"
        pytest.skip(reason, allow_module_level=True)


def scores(n=40, classes=3, seed=0, dtype=torch.float64):
    """Return logits [n, classes] and labels [n], every class present."""
    random = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, classes, generator=random, dtype=dtype)
    return logits, torch.arange(n) % classes


def confidences(n=400, seed=1):
    """Return confidence [n] and correctness [n] of an over-confident model of three classes."""
    random = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, 3, generator=random, dtype=torch.float64)
    labels = torch.multinomial((logits / 2).softmax(1), 1, generator=random).squeeze(1)
    return (*top_label(logits, labels), logits, labels)
