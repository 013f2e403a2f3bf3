"""ISIC 2019: 25,331 dermoscopic images in eight classes, from three collections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import skinframe
from skinframe.data.row_schema import RawRow
from skinframe_derm.folder import Folder, one_hot
from skinframe_derm.official import Official
from skinframe_derm.taxonomy import LabelSet


class Isic2019(Official, skinframe.Dataset):
    """ISIC 2019 (Combalia et al. 2019, arXiv:1908.02288): BCN_20000, HAM10000 and MSK images in one set.

    No patient ids were released, so groups are lesions and every figure is lesion-level; 2,084 images have no lesion id
    either and stand alone. The collection is read from the lesion id, for splits only.
    """

    name, level = "isic2019", "lesion"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
        label_set: LabelSet = "isic8"

    config: Config

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        names = (*self.facts.labels, "UNK")
        table = "ISIC_2019_Training_GroundTruth.csv"
        truth = {row.text("image"): one_hot(row, names) for row in folder.rows(table, ["image", *self.facts.labels])}
        for row in folder.rows(folder.table(), ["image", "age_approx", "sex", "anatom_site_general", "lesion_id"]):
            name, lesion = row.text("image"), row.text("lesion_id")
            raw = folder.raw(row, truth.get(name))
            yield {
                **raw,
                "source": lesion and lesion.partition("_")[0].rstrip("0123456789"),
                "image": folder.image(name),
            }
