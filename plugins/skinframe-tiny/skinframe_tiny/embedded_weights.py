"""Folders of the embedded weights, which recipes name `embedded:clip` and `embedded:qwen`."""

from __future__ import annotations

from pathlib import Path


def weights(name: str) -> Path:
    """Return the folder of the embedded weights `name`, which may not have been built yet."""
    return Path(__file__).parent / "weights" / name


def clip() -> Path:
    """Return the folder of the tiny CLIP, in open_clip's own format."""
    return weights("clip")


def qwen() -> Path:
    """Return the folder of the tiny Qwen2.5-VL, in the Hugging Face format."""
    return weights("qwen")
