"""Dermatology data sets, prompts and official metrics for skinframe."""

from __future__ import annotations

import skinframe
from skinframe_derm.ddi import Ddi
from skinframe_derm.derm7pt import Derm7pt
from skinframe_derm.derm7pt_plus import Derm7ptPlus
from skinframe_derm.fitzpatrick17k import Fitzpatrick17k
from skinframe_derm.ham10000 import Ham10000
from skinframe_derm.isic2018 import Isic2018Task3
from skinframe_derm.isic2019 import Isic2019
from skinframe_derm.isic2020 import Isic2020
from skinframe_derm.local_llm import LocalLlm
from skinframe_derm.metrics.isic2024 import PAUC, RetrievalSensitivity
from skinframe_derm.metrics.isic_archive import ArchiveAUC, BalancedRecall
from skinframe_derm.milk10k import Milk10k
from skinframe_derm.pad_ufes_20 import PadUfes20
from skinframe_derm.prompts import ClinicalTemplate
from skinframe_derm.slice3d import Slice3d
from skinframe_derm.table import Table

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
