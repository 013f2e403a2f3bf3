"""PAD-UFES-20: 2,298 smartphone photographs of 1,373 patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import skinframe
from skinframe.data.rows import Raw
from skinframe_derm.folder import Folder, one_table
from skinframe_derm.official import Official
from skinframe_derm.taxonomy import LabelSet


class PadUfes20(Official, skinframe.Dataset):
    """PAD-UFES-20 (Pacheco et al. 2020, doi 10.1016/j.dib.2020.106221).

    Whether a lesion was biopsied, and every column that only biopsied patients filled in, is never read.
    """

    name, level = "pad_ufes_20", "patient"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
        label_set: LabelSet = "own"

    config: Config

    def rows(self, folder: Folder) -> Iterator[Raw]:
        return one_table(folder)
