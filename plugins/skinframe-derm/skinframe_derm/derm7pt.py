"""Derm7pt, 1,011 cases with the seven-point checklist, and Derm7pt+ with corrected labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import skinframe
from skinframe.data.row_schema import PARTS, RawRow
from skinframe_derm.dataset_facts import LabelSet
from skinframe_derm.download_folder import Folder, by_index
from skinframe_derm.official_download import DownloadConfig, Official


class Derm7pt(Official, skinframe.Dataset):
    """Derm7pt (Kawahara et al. 2019, doi 10.1109/JBHI.2018.2824327), with its official split.

    `images` chooses which photograph of a case is read. The seven criteria are attributes: what training may learn to
    name, never what a prompt holds. Management and difficulty, which follow from the diagnosis, are never read.
    """

    name, level = "derm7pt", "lesion"

    @dataclass(frozen=True, kw_only=True)
    class Config(DownloadConfig):
        label_set: LabelSet = "isic8"
        images: Literal["dermoscopic", "clinical"] = "dermoscopic"
        official_split: bool = True

    config: Config

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        column = "derm" if self.config.images == "dermoscopic" else "clinic"
        parts = by_index(folder, {part: f"meta/{part}_indexes.csv" for part in PARTS})
        for place, row in enumerate(folder.rows(folder.table(), ["case_num", "diagnosis", "clinic", "derm"])):
            name = row.text(column)
            raw = folder.raw(row, row.text("diagnosis"))
            split = parts.get(place) if self.config.official_split else None
            yield {**raw, "split": split, "image": name and f"images/{name}"}


class Derm7ptPlus(Official, skinframe.Dataset):
    """Derm7pt with the labels of Derm7pt+ (Napoles et al. 2026), which removes contradictions between cases.

    `rows_kept` takes the cases of its filtered splits, or all 1,011 without an official split. The dermoscopic images
    are those of the original download.
    """

    name, level = "derm7pt_plus", "lesion"

    @dataclass(frozen=True, kw_only=True)
    class Config(DownloadConfig):
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
