"""Outputs of frozen encoders, computed once and cached by content. Trains nothing."""

from __future__ import annotations

from skinframe.features.audit import Finding, verify
from skinframe.features.cache import Features
from skinframe.features.extract import extract_images, extract_texts
from skinframe.features.keys import planned_bytes
from skinframe.features.views import VIEWS, dihedral

__all__ = ["VIEWS", "Features", "Finding", "dihedral", "extract_images", "extract_texts", "planned_bytes", "verify"]
