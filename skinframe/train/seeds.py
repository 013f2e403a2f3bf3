"""The global generators, set for each step: a resume needs to save none of them."""

from __future__ import annotations

import random

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Give python's, numpy's and torch's global generators, which a plugin may draw from, the step's own seed."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
