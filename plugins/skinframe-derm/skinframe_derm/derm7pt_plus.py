"""Derm7pt+: corrected diagnoses and criteria for the images of Derm7pt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import skinframe
from skinframe.data.row_schema import PARTS, RawRow
from skinframe_derm.folder import Folder, by_index
from skinframe_derm.official import Official
from skinframe_derm.taxonomy import LabelSet


class Derm7ptPlus(Official, skinframe.Dataset):
    """Derm7pt with the labels of Derm7pt+ (Napoles et al. 2026), which removes contradictions between cases.

    `rows_kept` takes the cases of its filtered splits, or all 1,011 without an official split. The dermoscopic images
    are those of the original download.
    """

    name, level = "derm7pt_plus", "lesion"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
        label_set: LabelSet = "isic8"
        rows_kept: Literal["asymmetric", "symmetric", "all"] = "asymmetric"

    config: Config

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        kept = self.config.rows_kept
        files = {} if kept == "all" else {part: f"splits/{kept}_{part}_indexes_filtered.csv" for part in PARTS}
        parts = by_index(folder, files)
        for place, row in enumerate(folder.rows(folder.table(), ["derm", "diagnosis"])):
            name = row.text("derm")
            if kept == "all" or place in parts:
                raw = folder.raw(row, row.text("diagnosis"))
                yield {**raw, "split": parts.get(place), "image": name and f"images/{name}"}
