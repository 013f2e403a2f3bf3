"""Tiny files in the layout that each official download has: column names as published, values made up."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from skinframe_derm import (
    Ddi,
    Derm7pt,
    Derm7ptPlus,
    Fitzpatrick17k,
    Ham10000,
    Isic2018Task3,
    Isic2019,
    Isic2020,
    Milk10k,
    PadUfes20,
    Slice3d,
    Table,
)
from skinframe_derm.dataset_facts import read_policy

import skinframe

Rows = list[dict[str, str]]
CRITERIA = (
    *("pigment_network", "streaks", "pigmentation", "regression_structures", "dots_and_globules"),
    "blue_whitish_veil",
)


def picture(seed: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (24, 32, 3), dtype=np.uint8)).save(out, "PNG")
    return out.getvalue()


@dataclass
class Layout:
    """A set, its tables by path, its images by path, and what is expected of the first sample."""

    kind: type[skinframe.Dataset]
    tables: dict[str, Rows]
    images: Sequence[str]
    first: Mapping[str, object]
    options: Mapping[str, object] = field(default_factory=dict)
    finish: Callable[[Path], None] = lambda root: None

    def write(self, root: Path, spoil: str = "") -> skinframe.Dataset:
        """Write the set; `spoil` fills every column that the policy keeps out, and one that it does not know."""
        policy = read_policy(self.kind.name)
        for path, rows in self.tables.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            extra = dict.fromkeys((*policy.never, *policy.optional, "unheard_of"), spoil) if spoil else {}
            header = list(dict.fromkeys([*rows[0], *extra]))
            with (root / path).open("w", newline="", encoding="utf-8") as file:
                table = csv.DictWriter(file, header)
                table.writeheader()
                table.writerows([{**row, **extra} for row in rows])
        for seed, path in enumerate(self.images):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(picture(seed))
        self.finish(root)
        return self.kind(self.kind.Config(root=str(root), **self.options))  # type: ignore[attr-defined]


def hot(name: str, names: str) -> dict[str, str]:
    return {one: "1.0" if one == name else "0.0" for one in names.split()}


def hdf5(root: Path) -> None:
    import h5py

    with h5py.File(root / "train-image.hdf5", "w") as file:
        for seed, name in enumerate(("ISIC_1", "ISIC_2")):
            file[name] = np.void(picture(seed))


ISIC8 = "MEL NV BCC AK BKL DF VASC SCC UNK"
MILK = "AKIEC BCC BEN_OTH BKL DF INF MAL_OTH MEL NV SCCKA VASC"
HAM = {"lesion_id": "HAM_1", "image_id": "ISIC_1", "dx": "mel", "dx_type": "histo", "age": "60", "sex": "male"}
CASE = {"case_num": "1", "diagnosis": "clark nevus", "seven_point_score": "2", **dict.fromkeys(CRITERIA, "absent")}
CASE |= {"vascular_structures": "dotted", "sex": "female", "location": "back", "elevation": "flat", "notes": ""}
CASE |= {"management": "excision", "level_of_diagnostic_difficulty": "low", "clinic": "A/a.jpg", "derm": "A/b.jpg"}
PLUS = {key: CASE[key] for key in ("diagnosis", *CRITERIA, "vascular_structures", "derm")}
PAD = {"img_id": "PAT_1_2_3.png", "patient_id": "PAT_1", "lesion_id": "2", "diagnostic": "ACK", "age": "71"}
PAD |= {"region": "NOSE", "fitspatrick": "2.0", "itch": "True", "grew": "UNK", "hurt": "False", "changed": "False"}
PAD |= {"bleed": "False", "elevation": "True", "biopsed": "True", "smoke": "False", "gender": "MALE"}
LESION = {"lesion_id": "IL_1", "age_approx": "50", "sex": "male", "skin_tone_class": "3", "site": "head_neck_face"}
LESION |= {"attribution": "MSK", "copyright_license": "CC-BY-NC", "MONET_hair": "0.5"}
TILE = {"isic_id": "ISIC_1", "target": "1", "patient_id": "IP_1", "age_approx": "55.0", "sex": "male"}
TILE |= {"anatom_site_general": "posterior torso", "clin_size_long_diam_mm": "3.2", "attribution": "MSK"}
MEASURED = dict.fromkeys(read_policy("slice3d").optional, "1.5")

LAYOUTS = {
    "ham10000": Layout(
        Ham10000,
        {"HAM10000_metadata.csv": [{**HAM, "localization": "back"}]},
        ["HAM10000_images_part_1/x.jpg", "HAM10000_images_part_2/ISIC_1.jpg"],
        {"lesion": "HAM_1", "labels": {"own": "mel", "isic8": "MEL", "malignancy": "malignant"}},
    ),
    "isic2018_task3": Layout(
        Isic2018Task3,
        {
            "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv": [
                {"image": "ISIC_1", **hot("AKIEC", "MEL NV BCC AKIEC BKL DF VASC")}
            ],
            "ISIC2018_Task3_Training_LesionGroupings.csv": [{"image": "ISIC_1", "lesion_id": "HAM_1"}],
        },
        ["ISIC2018_Task3_Training_Input/ISIC_1.jpg"],
        {"lesion": "HAM_1", "labels": {"own": "AKIEC"}},
    ),
    "isic2019": Layout(
        Isic2019,
        {
            "ISIC_2019_Training_GroundTruth.csv": [
                {"image": "ISIC_1_downsampled", **hot("SCC", ISIC8)},
                {"image": "ISIC_2", **hot("NV", ISIC8)},
            ],
            "ISIC_2019_Training_Metadata.csv": [
                {"image": "ISIC_1_downsampled", "age_approx": "55.0", "anatom_site_general": "head/neck", "sex": "male"}
                | {"lesion_id": "MSK4_0001"},
                {"image": "ISIC_2", "age_approx": "", "anatom_site_general": "", "sex": "", "lesion_id": ""},
            ],
        },
        ["ISIC_2019_Training_Input/ISIC_1_downsampled.jpg", "ISIC_2019_Training_Input/ISIC_2.jpg"],
        {"lesion": "MSK4_0001", "source": "MSK", "label": 7},
    ),
    "isic2020": Layout(
        Isic2020,
        {
            "ISIC_2020_Training_GroundTruth_v2.csv": [
                {
                    "image_name": "ISIC_1",
                    "patient_id": "IP_1",
                    "lesion_id": "IL_1",
                    "sex": "female",
                    "age_approx": "45.0",
                }
                | {"anatom_site_general_challenge": "torso", "diagnosis": "unknown", "benign_malignant": "benign"}
                | {"target": "0"}
            ]
        },
        ["ISIC_2020_Training_JPEG/train/ISIC_1.jpg"],
        {"patient": "IP_1", "lesion": "IL_1", "labels": {"own": "not recorded", "malignancy": "benign"}},
    ),
    "pad_ufes_20": Layout(
        PadUfes20,
        {"metadata.csv": [PAD]},
        ["images/imgs_part_2/PAT_1_2_3.png"],
        {
            "patient": "PAT_1",
            "lesion": "2",
            "image": "images/imgs_part_2/PAT_1_2_3.png",
            "labels": {"own": "ACK"} | {"isic8": "AK"},
        },
    ),
    "derm7pt": Layout(
        Derm7pt,
        {
            "meta/meta.csv": [CASE, {**CASE, "case_num": "2", "diagnosis": "melanoma (in situ)", "derm": "A/c.jpg"}],
            "meta/train_indexes.csv": [{"indexes": "1"}],
            "meta/valid_indexes.csv": [{"indexes": "5"}],
            "meta/test_indexes.csv": [{"indexes": "0"}],
        },
        ["images/A/a.jpg", "images/A/b.jpg", "images/A/c.jpg"],
        {"lesion": "1", "split": "test", "attributes": (False, False, True, False, False, False, False), "label": 1},
    ),
    "derm7pt_plus": Layout(
        Derm7ptPlus,
        {
            "meta.csv": [PLUS, {**PLUS, "derm": "A/c.jpg"}, {**PLUS, "derm": "A/d.jpg"}],
            "splits/asymmetric_train_indexes_filtered.csv": [{"indexes": "2"}],
            "splits/asymmetric_valid_indexes_filtered.csv": [{"indexes": "9"}],
            "splits/asymmetric_test_indexes_filtered.csv": [{"indexes": "0"}],
        },
        ["images/A/b.jpg", "images/A/d.jpg"],
        {"id": "A/b.jpg", "split": "test"},
    ),
    "milk10k": Layout(
        Milk10k,
        {
            "MILK10k_Training_GroundTruth.csv": [{"lesion_id": "IL_1", **hot("SCCKA", MILK)}],
            "MILK10k_Training_Metadata.csv": [
                {**LESION, "isic_id": "ISIC_1", "image_type": "clinical: close-up"},
                {**LESION, "isic_id": "ISIC_2", "image_type": "dermoscopic"},
            ],
        },
        ["MILK10k_Training_Input/IL_1/ISIC_2.jpg"],
        {
            "id": "ISIC_2",
            "lesion": "IL_1",
            "source": "MSK",
            "labels": {"own": "SCCKA", "isic8": "SCC"} | {"malignancy": "malignant"},
        },
    ),
    "fitzpatrick17k": Layout(
        Fitzpatrick17k,
        {
            "fitzpatrick17k.csv": [
                {"md5hash": "ab12", "fitzpatrick_scale": "6", "fitzpatrick_centaur": "5", "label": "kaposi sarcoma"}
                | {"nine_partition_label": "malignant dermal", "three_partition_label": "malignant", "qc": ""}
                | {"url": "https://example.org/kaposi.jpg", "url_alphanum": "kaposi.jpg"},
                {"md5hash": "cd34", "fitzpatrick_scale": "-1", "fitzpatrick_centaur": "-1", "label": "psoriasis"}
                | {"nine_partition_label": "inflammatory", "three_partition_label": "non-neoplastic", "qc": ""}
                | {"url": "", "url_alphanum": ""},
            ]
        },
        ["images/ab12.jpg"],
        {"id": "ab12", "metadata": {"skin_type": "VI"}, "labels": {"own": "kaposi sarcoma", "malignancy": "malignant"}},
    ),
    "ddi": Layout(
        Ddi,
        {
            "ddi_metadata.csv": [
                {"": "0", "DDI_ID": "1", "DDI_file": "000001.png", "skin_tone": "56", "malignant": "True"}
                | {"disease": "mycosis-fungoides"}
            ]
        },
        ["000001.png"],
        {"metadata": {"skin_type": "V-VI"}, "image": "./000001.png"},
    ),
    "slice3d": Layout(
        Slice3d,
        {"train-metadata.csv": [TILE, {**TILE, "isic_id": "ISIC_2", "target": "0"}]},
        [],
        {"patient": "IP_1", "source": "MSK", "label": 1, "image": "ISIC_1"},
        finish=hdf5,
    ),
    "table": Layout(
        Table,
        {"manifest.csv": [{"id": "a", "image": "a.png", "label": "nv", "patient": "p", "sex": "male", "site": ""}]},
        ["a.png"],
        {"patient": "p"},
    ),
}
