"""Dermatology data sets, prompts and official metrics for skinframe."""

from __future__ import annotations

import skinframe
from skinframe_derm.ham10000 import Ham10000
from skinframe_derm.metrics.isic2024 import PAUC, RetrievalSensitivity
from skinframe_derm.metrics.isic_archive import ArchiveAUC, BalancedRecall
from skinframe_derm.prompts import ClinicalTemplate
from skinframe_derm.table import Table

__all__ = ["PAUC", "ArchiveAUC", "BalancedRecall", "ClinicalTemplate", "Ham10000", "RetrievalSensitivity", "Table"]


@skinframe.hookimpl
def register_datasets() -> list[type[skinframe.Dataset]]:
    return [Ham10000, Table]


@skinframe.hookimpl
def register_prompts() -> list[type[skinframe.Prompt]]:
    return [ClinicalTemplate]


@skinframe.hookimpl
def register_metrics() -> list[type[skinframe.Metric]]:
    return [PAUC, RetrievalSensitivity, ArchiveAUC, BalancedRecall]
