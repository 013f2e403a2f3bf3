"""Frozen encoders for skinframe: open_clip's CLIP, timm's vision models, and hashed words."""

from __future__ import annotations

import skinframe
from skinframe_clip.hashed_text_encoder import HashedText
from skinframe_clip.open_clip_encoder import OpenClip
from skinframe_clip.timm_encoder import Timm

__all__ = ["HashedText", "OpenClip", "Timm"]


@skinframe.hookimpl
def register_encoders() -> list[type[skinframe.Encoder]]:
    return [OpenClip, Timm, HashedText]
