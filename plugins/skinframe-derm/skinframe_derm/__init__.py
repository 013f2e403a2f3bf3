"""Dermatology data sets and prompts for skinframe."""

from __future__ import annotations

import skinframe
from skinframe_derm.prompts import ClinicalTemplate

__all__ = ["ClinicalTemplate"]


@skinframe.hookimpl
def register_prompts() -> list[type[skinframe.Prompt]]:
    return [ClinicalTemplate]
