"""The ISIC challenges as data sets: 2018 Task 3, 2019, 2020, 2024 (SLICE-3D) and 2025 (MILK10k)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import skinframe
from skinframe import Field
from skinframe.data.row_schema import RawRow
from skinframe_derm.dataset_facts import MALIGNANCY, LabelSet, SetFacts, read_facts
from skinframe_derm.download_folder import Folder, one_hot
from skinframe_derm.hdf5_images import Hdf5Images
from skinframe_derm.official_download import DownloadConfig, Official


class Isic2018Task3(Official, skinframe.Dataset):
    """The training part of ISIC 2018 Task 3 (Codella et al. 2019, arXiv:1902.03368), with HAM10000's lesion ids.

    It is HAM10000 again, so never train on one and test on the other. Its validation and test parts come without lesion
    ids and are not read.
    """

    name, level = "isic2018_task3", "lesion"

    @dataclass(frozen=True, kw_only=True)
    class Config(DownloadConfig):
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


class Isic2019(Official, skinframe.Dataset):
    """ISIC 2019 (Combalia et al. 2019, arXiv:1908.02288): BCN_20000, HAM10000 and MSK images in one set.

    No patient ids were released, so groups are lesions and every figure is lesion-level; 2,084 images have no lesion id
    either and stand alone. The collection is read from the lesion id, for splits only.
    """

    name, level = "isic2019", "lesion"

    @dataclass(frozen=True, kw_only=True)
    class Config(DownloadConfig):
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


class Isic2020(Official, skinframe.Dataset):
    """ISIC 2020 (Rotemberg et al. 2021, doi 10.1038/s41597-021-00815-z), with patient ids.

    Most benign lesions have no recorded diagnosis; `own` calls them "not recorded".
    """

    name, level = "isic2020", "patient"

    Config = DownloadConfig
    config: DownloadConfig

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        for row in folder.rows(folder.table(), ["image_name", "patient_id", "diagnosis", "benign_malignant"]):
            raw = folder.raw(row, row.text("diagnosis") or "not recorded")
            malignancy = row.word("benign_malignant", MALIGNANCY)
            labels = {**raw["labels"], "malignancy": malignancy} if malignancy else raw["labels"]
            yield {**raw, "labels": labels, "image": folder.image(row.text("image_name"))}


WIDEST = 1e6  # the maker states no ranges; a number beyond this is no measurement


class Slice3d(Official, skinframe.Dataset):
    """SLICE-3D (Kurtansky et al. 2024, doi 10.1038/s41597-024-03743-w), as the Kaggle download lays it out.

    The table is streamed, and images are read from the HDF5 file one by one, so neither is ever held whole. Columns of
    the training table alone are never read. `vendor_measured` adds what the camera's maker measured to the prompt.
    """

    name, level = "slice3d", "patient"

    @dataclass(frozen=True, kw_only=True)
    class Config(DownloadConfig):
        vendor_measured: bool = False

    config: Config

    @cached_property
    def facts(self) -> SetFacts:
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


class Milk10k(Official, skinframe.Dataset):
    """MILK10k (ISIC 2025): lesions of five centres with skin tone, as pairs of photographs.

    `images` chooses one of the pair, or both as two samples of one lesion. The MONET scores in its table are what
    another model made of the images, and are never read.
    """

    name, level = "milk10k", "lesion"

    @dataclass(frozen=True, kw_only=True)
    class Config(DownloadConfig):
        label_set: LabelSet = "own"
        images: Literal["dermoscopic", "clinical", "both"] = "dermoscopic"

    config: Config

    def rows(self, folder: Folder) -> Iterator[RawRow]:
        names = tuple(self.facts.labels)
        table = "MILK10k_Training_GroundTruth.csv"
        truth = {row.text("lesion_id"): one_hot(row, names) for row in folder.rows(table, ["lesion_id", *names])}
        root = next(
            (name for name in reversed(self.facts.folders) if (folder.root / name).is_dir()), self.facts.folders[0]
        )
        for row in folder.rows(folder.table(), ["isic_id", "lesion_id", "image_type"]):
            kind = row.parsed("image_type", _kind)
            if self.config.images in (kind, "both"):
                lesion, name = row.text("lesion_id"), row.text("isic_id")
                yield {**folder.raw(row, truth.get(lesion)), "image": f"{root}/{lesion}/{name}.jpg"}


def _kind(text: str) -> str:
    """Return 'dermoscopic' or 'clinical' for the table's 'dermoscopic' and 'clinical: close-up'."""
    kind = text.partition(":")[0].strip().lower()
    if kind not in ("dermoscopic", "clinical"):
        raise ValueError(f"{text[:60]!r} is neither dermoscopic nor clinical")
    return kind
