"""ISIC 2018 Task 3: HAM10000's images under the challenge's names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import skinframe
from skinframe.data.row_schema import RawRow
from skinframe_derm.folder import Folder, one_hot
from skinframe_derm.official import Official
from skinframe_derm.taxonomy import LabelSet


class Isic2018Task3(Official, skinframe.Dataset):
    """The training part of ISIC 2018 Task 3 (Codella et al. 2019, arXiv:1902.03368), with HAM10000's lesion ids.

    It is HAM10000 again, so never train on one and test on the other. Its validation and test parts come without lesion
    ids and are not read.
    """

    name, level = "isic2018_task3", "lesion"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
        label_set: LabelSet = "own"

    config: Config

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        names = tuple(self.facts.labels)
        groups = "ISIC2018_Task3_Training_LesionGroupings.csv"
        lesions = {row.text("image"): row.text("lesion_id") for row in folder.rows(groups, ["image", "lesion_id"])}
        for row in folder.rows(folder.table(), ["image", *names]):
            name = row.text("image")
            raw = folder.raw(row, one_hot(row, names))
            yield {**raw, "lesion": lesions.get(name), "image": folder.image(name)}
