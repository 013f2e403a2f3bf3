"""HAM10000: 10,015 dermoscopic images of 7,470 lesions, as downloaded or shrunk to 200 x 150."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import skinframe
from skinframe import Field, Sample
from skinframe_derm.class_names import class_titles, malignant_classes
from skinframe_derm.csv_tables import Row, read_table
from skinframe_derm.dataset_facts import ISIC8, MALIGNANCY, SetFacts, read_facts
from skinframe_derm.ham10000_rows import REQUIRED, TRUTH, HamRow
from skinframe_derm.official_download import compared, context

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HAM7 = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


@dataclass(frozen=True)
class Layout:
    """Where a copy keeps its table, images and masks."""

    table: str
    images: tuple[str, ...]
    masks: str


LAYOUTS = {
    "official": Layout(
        "HAM10000_metadata.csv",
        ("HAM10000_images_part_1", "HAM10000_images_part_2"),
        "HAM10000_segmentations_lesion_tschandl",
    ),
    "200x150": Layout("metadata.csv", ("images_200x150",), "masks_200x150"),
}


class Ham10000(skinframe.Dataset):
    """HAM10000 (Tschandl, Rosendahl and Kittler 2018, doi 10.1038/sdata.2018.161).

    No patient ids were released, so groups are lesions and every figure is lesion-level. How a diagnosis was confirmed
    (`dx_type`) is never read. Licence CC BY-NC 4.0; page https://doi.org/10.7910/DVN/DBW86T.
    """

    name = "ham10000"
    level = "lesion"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder that holds the table and the image folders
        images: Literal["auto", "official", "200x150"] = "auto"  # which copy it is
        # isic8 parts akiec into AK and SCC by the ISIC 2019 labels; malignancy leaves akiec out
        label_set: Literal["ham7", "isic8", "malignancy"] = "ham7"

    config: Config
    context = context

    @property
    def classes(self) -> tuple[str, ...]:
        return {"ham7": HAM7, "isic8": ISIC8, "malignancy": MALIGNANCY}[self.config.label_set]

    @property
    def fields(self) -> tuple[Field, ...]:
        return self._facts.fields

    def missing(self) -> list[skinframe.Requirement]:
        """Return what is not there: the root, the table, an image folder or the labels that `isic8` needs."""
        root, layout = self._root, self._layout
        if not self.config.root:
            what, step = "HAM10000: no folder given", f"--set data.config.root=FOLDER; {self._facts.download}"
            return [skinframe.Requirement(what=what, next_step=step, kind="data")]
        download = self._facts.download
        absent = [name for name in (layout.table, *layout.images) if not (root / name).exists()]
        needs = [
            skinframe.Requirement(what=f"HAM10000: {root / name} does not exist", next_step=download, kind="data")
            for name in absent
        ]
        lacks_labels = layout is LAYOUTS["official"] and not (root / TRUTH).is_file()
        if self.config.label_set == "isic8" and lacks_labels:
            step = f"put {TRUTH} of https://challenge.isic-archive.com/data/#2019 there, or use label_set=ham7"
            needs.append(skinframe.Requirement(what=f"{root / TRUTH} does not exist", next_step=step, kind="data"))
        return needs

    def samples(self) -> Sequence[Sample]:
        """Return the samples in the order of their ids. Raises DataError naming file, line and reason."""
        return self._read

    def left_out(self) -> Mapping[str, int]:
        return self._left_out if self._read else {}

    @property
    def class_titles(self) -> Mapping[str, str]:
        return class_titles(self.classes)

    @property
    def malignant(self) -> tuple[str, ...]:
        return malignant_classes(self.classes, self.label_map())

    def label_map(self) -> Mapping[str, Mapping[str, str]]:
        return self._facts.labels

    def published(self) -> str:
        return compared(self._facts, self._read, self.left_out())

    def digest(self) -> str:
        """Return a digest of samples and options; columns that nothing reads and the folder's place do not enter."""
        rows = [(s.id, s.label, s.lesion, sorted(s.metadata.items()), sorted(s.labels.items())) for s in self._read]
        parts = (self.name, rows, self.config.label_set)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def image_bytes(self, sample: Sample) -> bytes:
        from skinframe.data.images import read_confined

        return read_confined(self._root, sample.image)

    def masks(self, sample: Sample) -> Mapping[str, NDArray[np.bool_]]:
        """Return {'lesion': [height, width]} where the copy has the segmentation (grey edges cut at 127)."""
        import numpy as np

        from skinframe.data.images import decode, read_confined

        relative = f"{self._layout.masks}/{sample.id}_segmentation.png"
        if not (self._root / relative).is_file():
            return {}
        return {"lesion": np.asarray(decode(read_confined(self._root, relative)))[..., 0] > 127}

    @cached_property
    def _left_out(self) -> Counter[str]:
        return Counter()

    @cached_property
    def _facts(self) -> SetFacts:
        return read_facts(self.name)

    @property
    def _root(self) -> Path:
        return Path(self.config.root)

    @cached_property
    def _layout(self) -> Layout:
        if self.config.images != "auto":
            return LAYOUTS[self.config.images]
        layouts = [layout for layout in LAYOUTS.values() if any((self._root / name).is_dir() for name in layout.images)]
        return layouts[0] if layouts else LAYOUTS["official"]

    @cached_property
    def _truth(self) -> dict[str, str]:
        """Return the ISIC 2019 class by image id, where the official ground-truth table lies beside the data."""
        path, truth = self._root / TRUTH, {}
        if self._layout is LAYOUTS["official"] and path.is_file():

            def take(row: Row) -> None:
                hot = [name for name in ISIC8 if row.number(name, 0, 1)]
                if len(hot) == 1:
                    truth[row.text("image") or ""] = hot[0]

            read_table(path, {"image", *ISIC8}, ("image", *ISIC8), take)
        return truth

    @cached_property
    def _read(self) -> tuple[Sample, ...]:
        needs = self.missing()
        if needs:
            raise skinframe.DataError(f"{needs[0].what}; {needs[0].next_step}")
        found: dict[str, Sample] = {}
        parse = HamRow(
            fields=self.fields,
            classes=self.classes,
            label_set=self.config.label_set,
            truth=self._truth,
            folders=self._folders(),
            fallback=self._layout.images[0],
            own=self._facts.labels,
            table=self._layout.table,
            left_out=self._left_out,
        )

        def take(row: Row) -> None:
            sample = parse(row)
            if sample is not None and found.setdefault(sample.id, sample) is not sample:
                row.problem(f"image_id {sample.id} stands in an earlier line too")

        label = "isic2019" if self.config.label_set == "isic8" and not self._truth else "dx"
        read_table(self._root / self._layout.table, self._facts.columns.read, [*REQUIRED, label], take)
        return tuple(found[name] for name in sorted(found))

    def _folders(self) -> dict[str, str]:
        """Return the folder of each image file: the official copy spreads them over two."""
        return {
            entry.name: folder
            for folder in reversed(self._layout.images)
            for entry in os.scandir(self._root / folder)
            if entry.name.endswith(".jpg")
        }
