"""The engine's own columns keep the contract of their kind."""

from __future__ import annotations

import numpy as np
import torch

from skinframe.data.columns import (
    Attributes,
    ClassCounts,
    Labels,
    LesionCover,
    Metadata,
    RationaleTargets,
    SampleIds,
    SiteIds,
    TextIds,
)
from skinframe.testing import column_contract

INPUTS = {
    "image_tokens": ("clip", 16),
    "seen_mask": lambda row, view, encoder, name: np.rot90(np.arange(64).reshape(8, 8) % 9 <= row, view),
    "layout": {"rationale_targets": torch.tensor([5, 1, 3])},
}


@column_contract(
    Labels(),
    ClassCounts(),
    Attributes(),
    TextIds(),
    SampleIds(),
    SiteIds(),
    Metadata(),
    LesionCover(),
    RationaleTargets(),
    inputs=INPUTS,
)
def test_column_contract(column, check):
    check(column)
