"""Fitzpatrick17k: 16,577 clinical photographs of 114 conditions with Fitzpatrick skin types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import skinframe
from skinframe.data.row_schema import RawRow
from skinframe_derm.folder import Folder
from skinframe_derm.official import Official
from skinframe_derm.taxonomy import MALIGNANCY, LabelSet


class Fitzpatrick17k(Official, skinframe.Dataset):
    """Fitzpatrick17k (Groh et al. 2021, arXiv:2104.09957), from two atlases.

    No patient or lesion ids were released, so every figure is image-level. Addresses hold diagnoses and are never read.
    """

    name, level = "fitzpatrick17k", "image"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
        label_set: LabelSet = "malignancy"

    config: Config

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        for row in folder.rows(folder.table(), ["md5hash", "label", "three_partition_label"]):
            raw = folder.raw(row, row.text("label"))
            part = row.word("three_partition_label", ("benign", "malignant", "non-neoplastic"))
            told = {"malignancy": part} if part in MALIGNANCY else {}
            yield {**raw, "labels": {**raw["labels"], **told}, "image": folder.image(row.text("md5hash"))}
