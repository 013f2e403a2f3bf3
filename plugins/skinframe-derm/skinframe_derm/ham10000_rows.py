"""One row of the HAM10000 table as a sample, and what is wrong with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from skinframe import Field, Sample
from skinframe_derm.csv_tables import Row

IMAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
TRUTH = "ISIC_2019_Training_GroundTruth.csv"
REQUIRED = ("image_id", "lesion_id", "age", "sex", "localization")


@dataclass(frozen=True)
class HamRow:
    """From a table row to a sample."""

    fields: tuple[Field, ...]
    classes: tuple[str, ...]
    label_set: str
    truth: Mapping[str, str]
    folders: Mapping[str, str]
    fallback: str
    own: Mapping[str, Mapping[str, str]]
    table: str
    left_out: Counter[str]

    def __call__(self, row: Row) -> Sample | None:
        age, sex, site = self.fields
        name, lesion = row.text("image_id"), row.text("lesion_id")
        if name is None or not IMAGE_ID.fullmatch(name):
            row.problem(f"image_id {(name or '')[:80]!r} is not an image id such as ISIC_0024306")
            return None
        if lesion is None:
            row.problem("no lesion_id; without it the same lesion could stand in two splits")
        if self.label_set == "isic8" and self.truth:
            label: str | None = self.truth.get(name)
            if label is None:
                row.problem(f"{name} has no class in {TRUTH}")
        else:
            column = "isic2019" if self.label_set == "isic8" else "dx"
            label = row.word(column, self.own if column == "dx" else self.classes)
            if label is None and row.text(column) is None:
                row.problem(f"no {column}")
        metadata = {
            "age": row.number("age", age.low, age.high),
            "sex": row.word("sex", sex.values),
            "site": row.word("localization", site.values),
        }
        file = f"{name}.jpg"
        folder = self.folders.get(file, self.fallback)  # a file that is not there is for the image policy to judge
        dx = row.word("dx", self.own) if self.label_set == "isic8" else label
        labels = {"own": dx, **self.own[dx]} if dx else {}
        if self.label_set == "isic8" and label is not None:
            labels["isic8"] = label
        if self.label_set == "malignancy" and dx is not None:
            label = labels.get("malignancy")
            if label is None:
                self.left_out[dx] += 1
                return None
        return Sample(
            id=name,
            image=f"{folder}/{file}",
            label=self.classes.index(label) if label is not None else -1,
            lesion=lesion,
            metadata=metadata,
            labels=labels,
            file=self.table,
            line=row.line,
        )
