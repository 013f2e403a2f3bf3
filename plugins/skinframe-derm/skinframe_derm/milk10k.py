"""MILK10k: 5,240 lesions, each with a clinical and a dermoscopic photograph, in eleven classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import skinframe
from skinframe.data.row_schema import RawRow
from skinframe_derm.folder import Folder, one_hot
from skinframe_derm.official import Official
from skinframe_derm.taxonomy import LabelSet


class Milk10k(Official, skinframe.Dataset):
    """MILK10k (ISIC 2025): lesions of five centres with skin tone, as pairs of photographs.

    `images` chooses one of the pair, or both as two samples of one lesion. The MONET scores in its table are what
    another model made of the images, and are never read.
    """

    name, level = "milk10k", "lesion"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
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
