"""Where a run computes."""

from __future__ import annotations


def best_device() -> str:
    """Return "cuda" where a GPU can be used, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
