"""ISIC 2020: 33,126 dermoscopic images of 2,056 patients, benign or melanoma."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import skinframe
from skinframe.data.rows import Raw
from skinframe_derm import official as of
from skinframe_derm.institutions import context
from skinframe_derm.taxonomy import MALIGNANCY, LabelSet


class Isic2020(skinframe.Dataset):
    """ISIC 2020 (Rotemberg et al. 2021, doi 10.1038/s41597-021-00815-z), with patient ids.

    Most benign lesions have no recorded diagnosis; `own` calls them "not recorded".
    """

    name, level = "isic2020", "patient"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
        label_set: LabelSet = "malignancy"

    config: Config
    context = context
    classes, fields, attributes = property(of.classes), property(of.fields), property(of.attributes)
    missing, samples, left_out, digest = of.missing, of.samples, of.left_out, of.digest
    image_bytes = of.image_bytes
    facts, reading = cached_property(of.facts_of), cached_property(of.read)

    def rows(self, folder: of.Folder) -> Iterator[Raw]:
        for row in folder.rows(folder.table(), ["image_name", "patient_id", "diagnosis", "benign_malignant"]):
            raw = folder.raw(row, row.text("diagnosis") or "not recorded")
            told = row.word("benign_malignant", MALIGNANCY)
            labels = {**raw["labels"], "malignancy": told} if told else raw["labels"]
            yield {**raw, "labels": labels, "image": folder.image(row.text("image_name"))}
