"""Derm7pt: 1,011 cases with a clinical and a dermoscopic photograph and the seven-point checklist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import skinframe
from skinframe.data.row_schema import PARTS, RawRow
from skinframe_derm.folder import Folder, by_index
from skinframe_derm.official import Official
from skinframe_derm.taxonomy import LabelSet


class Derm7pt(Official, skinframe.Dataset):
    """Derm7pt (Kawahara et al. 2019, doi 10.1109/JBHI.2018.2824327), with its official split.

    `images` chooses which photograph of a case is read. The seven criteria are attributes: what training may learn to
    name, never what a prompt holds. Management and difficulty, which follow from the diagnosis, are never read.
    """

    name, level = "derm7pt", "lesion"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
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
