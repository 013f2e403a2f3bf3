"""Sets of clinical photographs: DDI, Fitzpatrick17k and PAD-UFES-20."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import skinframe
from skinframe.data.row_schema import RawRow
from skinframe_derm.dataset_facts import MALIGNANCY, LabelSet, SetFacts, read_facts
from skinframe_derm.download_folder import Folder, one_table
from skinframe_derm.official_download import DownloadConfig, Official


class Ddi(Official, skinframe.Dataset):
    """Diverse Dermatology Images (Daneshjou et al. 2022, doi 10.1126/sciadv.abq6147).

    No patient ids were released, so every figure is image-level. Meant for testing.
    """

    name, level = "ddi", "image"

    Config = DownloadConfig
    config: DownloadConfig

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        for row in folder.rows(folder.table(), ["DDI_file", "skin_tone", "malignant", "disease"]):
            raw = folder.raw(row, row.text("disease"))
            malignant = row.word("malignant", ("True", "False"))
            malignancy = {"True": "malignant", "False": "benign"}.get(malignant or "")
            labels = {**raw["labels"], "malignancy": malignancy} if malignancy else raw["labels"]
            stem = (row.text("DDI_file") or "").rpartition(".")[0]
            yield {**raw, "labels": labels, "image": folder.image(stem)}


class Fitzpatrick17k(Official, skinframe.Dataset):
    """Fitzpatrick17k (Groh et al. 2021, arXiv:2104.09957), from two atlases.

    No patient or lesion ids were released, so every figure is image-level. Addresses hold diagnoses and are never read.
    """

    name, level = "fitzpatrick17k", "image"

    Config = DownloadConfig
    config: DownloadConfig

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        for row in folder.rows(folder.table(), ["md5hash", "label", "three_partition_label"]):
            raw = folder.raw(row, row.text("label"))
            part = row.word("three_partition_label", ("benign", "malignant", "non-neoplastic"))
            shared = {"malignancy": part} if part in MALIGNANCY else {}
            yield {**raw, "labels": {**raw["labels"], **shared}, "image": folder.image(row.text("md5hash"))}


class PadUfes20(Official, skinframe.Dataset):
    """PAD-UFES-20 (Pacheco et al. 2020, doi 10.1016/j.dib.2020.106221).

    Whether a lesion was biopsied, and every column that only biopsied patients filled in, is never read. The
    Fitzpatrick type is one: `skin_type` reads it all the same, to compare skin types; an audit calls that a leak.
    """

    name, level = "pad_ufes_20", "patient"

    @dataclass(frozen=True, kw_only=True)
    class Config(DownloadConfig):
        label_set: LabelSet = "own"
        skin_type: bool = False

    config: Config

    @cached_property
    def facts(self) -> SetFacts:
        facts = read_facts(self.name)
        if not self.config.skin_type:
            return replace(facts, fields=tuple(field for field in facts.fields if field.name != "skin_type"))
        prompt = {**facts.columns.prompt, "fitspatrick": "skin_type"}
        return replace(facts, columns=replace(facts.columns, prompt=prompt, optional=()))

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        return one_table(folder)
