"""Dermatology data sets, prompts and official metrics for skinframe."""

from __future__ import annotations

import skinframe
from skinframe_derm.clinical_photographs import Ddi, Fitzpatrick17k, PadUfes20
from skinframe_derm.clinical_template import ClinicalTemplate
from skinframe_derm.derm7pt import Derm7pt, Derm7ptPlus
from skinframe_derm.ham10000 import Ham10000
from skinframe_derm.image_table_dataset import Table
from skinframe_derm.isic_challenges import Isic2018Task3, Isic2019, Isic2020, Milk10k, Slice3d
from skinframe_derm.local_llm_descriptions import LocalLlm
from skinframe_derm.metrics.isic2024 import PAUC, RetrievalSensitivity
from skinframe_derm.metrics.isic_archive import ArchiveAUC, BalancedRecall

__all__ = [
    "PAUC",
    "ArchiveAUC",
    "BalancedRecall",
    "ClinicalTemplate",
    "Ddi",
    "Derm7pt",
    "Derm7ptPlus",
    "Fitzpatrick17k",
    "Ham10000",
    "Isic2018Task3",
    "Isic2019",
    "Isic2020",
    "LocalLlm",
    "Milk10k",
    "PadUfes20",
    "RetrievalSensitivity",
    "Slice3d",
    "Table",
]


@skinframe.hookimpl
def register_datasets() -> list[type[skinframe.Dataset]]:
    return [
        Ddi,
        Derm7pt,
        Derm7ptPlus,
        Fitzpatrick17k,
        Ham10000,
        Isic2018Task3,
        Isic2019,
        Isic2020,
        Milk10k,
        PadUfes20,
        Slice3d,
        Table,
    ]


@skinframe.hookimpl
def register_prompts() -> list[type[skinframe.Prompt]]:
    return [ClinicalTemplate, LocalLlm]


@skinframe.hookimpl
def register_metrics() -> list[type[skinframe.Metric]]:
    return [PAUC, RetrievalSensitivity, ArchiveAUC, BalancedRecall]
