"""SLICE-3D (ISIC 2024): 401,059 crops of total body photographs, 393 of them malignant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import skinframe
from skinframe import Field
from skinframe.data.row_schema import RawRow
from skinframe_derm.facts import Facts, read_facts
from skinframe_derm.folder import Folder
from skinframe_derm.hdf5 import Hdf5Images
from skinframe_derm.official import Official
from skinframe_derm.taxonomy import LabelSet

WIDEST = 1e6  # the maker states no ranges; a number beyond this is no measurement


class Slice3d(Official, skinframe.Dataset):
    """SLICE-3D (Kurtansky et al. 2024, doi 10.1038/s41597-024-03743-w), as the Kaggle download lays it out.

    The table is streamed, and images are read from the HDF5 file one by one, so neither is ever held whole. Columns of
    the training table alone are never read. `vendor_measured` adds what the camera's maker measured to the prompt.
    """

    name, level = "slice3d", "patient"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
        label_set: LabelSet = "malignancy"
        vendor_measured: bool = False

    config: Config

    @cached_property
    def facts(self) -> Facts:
        facts = read_facts(self.name)
        if not self.config.vendor_measured:
            return facts
        maker = facts.columns.optional
        prompt = {**facts.columns.prompt, **{name: name for name in maker}}
        measured = tuple(Field(name=name, low=-WIDEST, high=WIDEST) for name in maker)
        columns = replace(facts.columns, prompt=prompt, optional=())
        return replace(facts, fields=facts.fields + measured, columns=columns)

    @cached_property
    def _images(self) -> Hdf5Images:
        return Hdf5Images(Path(self.config.root) / self.facts.folders[0])

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        for row in folder.rows(folder.table(), ["isic_id", "patient_id", "target", *self.facts.columns.prompt]):
            yield {**folder.raw(row, row.text("target")), "image": row.text("isic_id")}

    def image_bytes(self, sample: skinframe.Sample) -> bytes:
        return self._images.read(sample.image)
