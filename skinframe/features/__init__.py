"""Outputs of frozen encoders, computed once and cached by content. Trains nothing."""

from __future__ import annotations

from skinframe.features.cached_features import Features
from skinframe.features.dihedral_views import VIEWS, dihedral
from skinframe.features.feature_extraction import extract_images, extract_texts
from skinframe.features.shard_format import planned_bytes
from skinframe.features.shard_store import ShardCheck, verify

__all__ = ["VIEWS", "Features", "ShardCheck", "dihedral", "extract_images", "extract_texts", "planned_bytes", "verify"]
