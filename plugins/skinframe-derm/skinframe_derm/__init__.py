"""Dermatology data sets and prompts for skinframe."""

from __future__ import annotations

import skinframe
from skinframe_derm.ham10000 import Ham10000
from skinframe_derm.prompts import ClinicalTemplate
from skinframe_derm.table import Table

__all__ = ["ClinicalTemplate", "Ham10000", "Table"]


@skinframe.hookimpl
def register_datasets() -> list[type[skinframe.Dataset]]:
    return [Ham10000, Table]


@skinframe.hookimpl
def register_prompts() -> list[type[skinframe.Prompt]]:
    return [ClinicalTemplate]
