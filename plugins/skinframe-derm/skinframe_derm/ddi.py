"""DDI: 656 biopsy-proven clinical photographs over dark and light skin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import skinframe
from skinframe.data.row_schema import RawRow
from skinframe_derm.folder import Folder
from skinframe_derm.official import Official
from skinframe_derm.taxonomy import LabelSet


class Ddi(Official, skinframe.Dataset):
    """Diverse Dermatology Images (Daneshjou et al. 2022, doi 10.1126/sciadv.abq6147).

    No patient ids were released, so every figure is image-level. Meant for testing.
    """

    name, level = "ddi", "image"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
        label_set: LabelSet = "malignancy"

    config: Config

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        for row in folder.rows(folder.table(), ["DDI_file", "skin_tone", "malignant", "disease"]):
            raw = folder.raw(row, row.text("disease"))
            told = row.word("malignant", ("True", "False"))
            malignancy = {"True": "malignant", "False": "benign"}.get(told or "")
            labels = {**raw["labels"], "malignancy": malignancy} if malignancy else raw["labels"]
            stem = (row.text("DDI_file") or "").rpartition(".")[0]
            yield {**raw, "labels": labels, "image": folder.image(stem)}
