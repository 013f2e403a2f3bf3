"""PAD-UFES-20: 2,298 smartphone photographs of 1,373 patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import skinframe
from skinframe.data.row_schema import RawRow
from skinframe_derm.facts import Facts, read_facts
from skinframe_derm.folder import Folder, one_table
from skinframe_derm.official import Official
from skinframe_derm.taxonomy import LabelSet


class PadUfes20(Official, skinframe.Dataset):
    """PAD-UFES-20 (Pacheco et al. 2020, doi 10.1016/j.dib.2020.106221).

    Whether a lesion was biopsied, and every column that only biopsied patients filled in, is never read. The
    Fitzpatrick type is one: `skin_type` reads it all the same, to compare skin types; an audit calls that a leak.
    """

    name, level = "pad_ufes_20", "patient"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
        label_set: LabelSet = "own"
        skin_type: bool = False

    config: Config

    @cached_property
    def facts(self) -> Facts:
        facts = read_facts(self.name)
        if not self.config.skin_type:
            return replace(facts, fields=tuple(field for field in facts.fields if field.name != "skin_type"))
        prompt = {**facts.columns.prompt, "fitspatrick": "skin_type"}
        return replace(facts, columns=replace(facts.columns, prompt=prompt, optional=()))

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        return one_table(folder)
