"""The real tables beside the project: counts as published."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from skinframe_derm import ClinicalTemplate, Derm7ptPlus, Isic2019, Isic2020, PadUfes20, Slice3d

import skinframe

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
pytestmark = pytest.mark.shared


@pytest.fixture(scope="module", autouse=True)
def _there() -> None:
    if not (SHARED / "tables").is_dir():
        pytest.skip("the real tables do not stand beside this project (../shared/data/tables)")


def counted(data: skinframe.Dataset) -> Counter[str]:
    return Counter(data.classes[sample.label] for sample in data.samples())


@pytest.fixture(scope="module")
def isic2019() -> Isic2019:
    return Isic2019(Isic2019.Config(root=str(SHARED / "tables")))


def test_isic_2019(isic2019: Isic2019) -> None:
    data = isic2019
    assert counted(data) == {
        "NV": 12875,
        "MEL": 4522,
        "BCC": 3323,
        "BKL": 2624,
        "AK": 867,
        "SCC": 628,
        "VASC": 253,
        "DF": 239,
    }
    samples = data.samples()
    assert Counter(sample.source for sample in samples) == {"BCN": 12413, "HAM": 10015, None: 2084, "MSK": 819}
    assert Counter((sample.lesion or "none")[:3] for sample in samples)["HAM"] == 10_015
    assert data.level == "lesion"
    assert sum(sample.metadata["sex"] is None for sample in samples) == 384
    binary = Isic2019(Isic2019.Config(root=str(SHARED / "tables"), label_set="malignancy"))
    assert (len(binary.samples()), binary.left_out()) == (24_464, {"AK": 867})


def test_the_rows_are_those_that_the_checksums_stand_for(isic2019: Isic2019, tmp_path: Path) -> None:
    """The digest of HAM10000 is that of two copies of its table: with seven columns and with more."""
    from skinframe_derm import Ham10000

    ham, isic2020 = Ham10000.Config(root=str(SHARED / "ham10000")), Isic2020.Config(root=str(SHARED / "tables"))
    shutil.copy(SHARED / "pad_ufes_20" / "metadata_all_2298.csv", tmp_path / "metadata.csv")
    pad = PadUfes20.Config(root=str(tmp_path))
    for data in (isic2019, Ham10000(ham), Isic2020(isic2020), PadUfes20(pad)):
        assert data.published().startswith("the published rows, SHA-256 ")


def test_ham_lesions_of_isic_2019_are_those_of_ham10000(isic2019: Isic2019) -> None:
    from skinframe_derm import Ham10000

    ham = {s.id: s.lesion for s in Ham10000(Ham10000.Config(root=str(SHARED / "ham10000"))).samples()}
    inside = [s for s in isic2019.samples() if s.source == "HAM"]
    assert {s.id for s in inside} == set(ham)
    assert all(s.lesion == ham[s.id] for s in inside)


def test_isic_2020() -> None:
    data = Isic2020(Isic2020.Config(root=str(SHARED / "tables")))
    assert counted(data) == {"benign": 32_542, "malignant": 584}
    assert len({sample.patient for sample in data.samples()}) == 2_056
    eight = Isic2020(Isic2020.Config(root=str(SHARED / "tables"), label_set="isic8"))
    assert counted(eight) == {"NV": 5193, "MEL": 584, "BKL": 179}
    assert eight.left_out()["not recorded"] == 27_124


@pytest.mark.parametrize(
    ("kept", "parts"),
    [
        ("asymmetric", {"train": 346, "valid": 171, "test": 324}),
        ("symmetric", {"train": 298, "valid": 135, "test": 272}),
        ("all", {None: 1011}),
    ],
)
def test_derm7pt_plus(kept: str, parts: dict[str | None, int]) -> None:
    options = {"root": str(SHARED / "tables" / "derm7pt_plus"), "rows_kept": kept, "label_set": "own"}
    data = Derm7ptPlus(Derm7ptPlus.Config(**options))  # type: ignore[arg-type]
    assert Counter(sample.split for sample in data.samples()) == parts
    if kept == "all":
        named = dict(zip(data.attributes, zip(*(s.attributes for s in data.samples()), strict=True), strict=True))
        found = {name: sum(map(bool, values)) for name, values in named.items()}
        assert found["atypical_network"] == 230
        assert found["blue_whitish_veil"] == 195
        assert found["atypical_vessels"] == 53 + 18
        assert found["irregular_pigmentation"] == 265 + 40
        assert found["regression_structures"] == 116 + 99 + 38


def test_pad_ufes_20(tmp_path: Path) -> None:
    shutil.copy(SHARED / "pad_ufes_20" / "metadata_all_2298.csv", tmp_path / "metadata.csv")
    data = PadUfes20(PadUfes20.Config(root=str(tmp_path)))
    assert counted(data) == {"BCC": 845, "ACK": 730, "NEV": 244, "SEK": 235, "SCC": 192, "MEL": 52}
    samples = data.samples()
    assert (len({s.patient for s in samples}), len({s.lesion for s in samples})) == (1373, 1641)
    assert "skin_type" not in samples[0].metadata
    typed = PadUfes20(PadUfes20.Config(root=str(tmp_path), skin_type=True))
    assert Counter(s.metadata["skin_type"] for s in typed.samples())[None] == 804
    here = PadUfes20(PadUfes20.Config(root=str(SHARED / "pad_ufes_20")))
    assert here.image_bytes(here.samples()[0])[:2] == b"\xff\xd8"


def test_slice3d_sample(tmp_path: Path) -> None:
    """The real columns and HDF5 layout of the public test rows, with the label column that they lack."""
    source = SHARED / "slice3d_sample"
    lines = (source / "test-metadata.csv").read_text(encoding="utf-8").splitlines()
    body = [lines[0] + ",target", *(line + ",0" for line in lines[1:])]
    (tmp_path / "train-metadata.csv").write_text("\n".join(body), encoding="utf-8")
    shutil.copy(source / "test-image.hdf5", tmp_path / "train-image.hdf5")
    for measured in (False, True):
        data = Slice3d(Slice3d.Config(root=str(tmp_path), vendor_measured=measured))
        assert counted(data) == {"benign": 3}
        assert all(data.image_bytes(sample)[:2] == b"\xff\xd8" for sample in data.samples())
        text = ClinicalTemplate().question(data.samples()[0], data.fields).user
        assert text.startswith("Age 45-49 years. Sex male. Site posterior torso. long diameter: 2.7 mm.")
        assert ("tbp lv" in text) is measured
