"""ISIC 2020: 33,126 dermoscopic images of 2,056 patients, benign or melanoma."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import skinframe
from skinframe.data.row_schema import RawRow
from skinframe_derm.folder import Folder
from skinframe_derm.official import Official
from skinframe_derm.taxonomy import MALIGNANCY, LabelSet


class Isic2020(Official, skinframe.Dataset):
    """ISIC 2020 (Rotemberg et al. 2021, doi 10.1038/s41597-021-00815-z), with patient ids.

    Most benign lesions have no recorded diagnosis; `own` calls them "not recorded".
    """

    name, level = "isic2020", "patient"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
        label_set: LabelSet = "malignancy"

    config: Config

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        for row in folder.rows(folder.table(), ["image_name", "patient_id", "diagnosis", "benign_malignant"]):
            raw = folder.raw(row, row.text("diagnosis") or "not recorded")
            told = row.word("benign_malignant", MALIGNANCY)
            labels = {**raw["labels"], "malignancy": told} if told else raw["labels"]
            yield {**raw, "labels": labels, "image": folder.image(row.text("image_name"))}
