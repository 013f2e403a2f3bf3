"""The engine's own columns keep the contract that a plugin's must."""

from __future__ import annotations

import numpy as np
import torch

from skinframe.data.columns import COLUMNS
from skinframe.testing import column_contract

CORNER = np.zeros((8, 8), dtype=bool)
CORNER[:5, :3] = True
INPUTS = {
    "image_tokens": ("eye", 4),  # an encoder of two by two patches
    "seen_mask": lambda row, view, encoder, name: CORNER if view == 0 else CORNER[:, ::-1],
    "layout": {"rationale_targets": torch.tensor([3, 1, 4])},
}


@column_contract(*(kind() for kind in COLUMNS), inputs=INPUTS)
def test_columns(column, check):
    check(column)
