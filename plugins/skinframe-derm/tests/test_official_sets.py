"""Every set in its official layout: what is read, what is refused, and that no column gets past the policy."""

from __future__ import annotations

import io
import pickle
from dataclasses import fields
from pathlib import Path

import pytest
from layouts import LAYOUTS, MEASURED, TILE, Layout
from PIL import Image
from skinframe_derm import ClinicalTemplate, Derm7pt, Isic2019, Milk10k, PadUfes20, Slice3d, register_datasets
from skinframe_derm.dataset_facts import policy_of, read_facts, read_policy

from skinframe import DataError
from skinframe.data.images import ImageProblem
from skinframe.data.manifest import check_samples

SECRET = "melanoma_confirmed_by_histopathology"
each_set = pytest.mark.parametrize("name", LAYOUTS)


def test_every_registered_set_has_a_layout() -> None:
    assert {kind.name for kind in register_datasets()} == set(LAYOUTS)


@each_set
def test_the_official_layout_becomes_samples(name: str, tmp_path: Path) -> None:
    data = LAYOUTS[name].write(tmp_path)
    assert data.missing() == []
    samples = data.samples()
    check_samples(samples, data.fields, data.classes, data.attributes)
    first = samples[0]
    assert {key: getattr(first, key) for key in LAYOUTS[name].first} == LAYOUTS[name].first
    assert Image.open(io.BytesIO(data.image_bytes(first))).size == (32, 24)
    assert first.file
    assert first.line in (2, 3)
    assert list(pickle.loads(pickle.dumps(data)).samples()) == list(samples)  # noqa: S301 - as a worker gets it
    assert data.level == "image" or first.group.startswith(data.level)


@each_set
def test_no_column_gets_past_the_policy(name: str, tmp_path: Path) -> None:
    """Every column that is not for the prompt is filled with a word that tells the answer; nothing may change."""
    clean, spoiled = tmp_path / "clean", tmp_path / "spoiled"
    before = LAYOUTS[name].write(clean)
    after = LAYOUTS[name].write(spoiled, spoil=SECRET)
    prompt = ClinicalTemplate()
    asked = [[prompt.question(sample, data.fields) for sample in data.samples()] for data in (before, after)]
    assert asked[0] == asked[1]
    assert before.digest() == after.digest()
    assert list(before.samples()) == list(after.samples())
    assert SECRET not in repr(list(after.samples()))
    policy = read_policy(name)
    told = {field.name for field in after.fields}
    assert told <= set(policy.prompt.values()) | {"age", "sex", "site"}
    assert not told & {*policy.never, *policy.label, *policy.split}


@each_set
def test_labels_groups_and_places_are_in_no_question(name: str, tmp_path: Path) -> None:
    data = LAYOUTS[name].write(tmp_path)
    for sample in data.samples():
        text = repr(ClinicalTemplate().question(sample, data.fields)).lower()
        hidden = [*sample.labels.values(), sample.patient, sample.lesion, sample.source, sample.image, sample.id]
        for word in hidden:
            assert word is None or len(word) < 3 or word.lower() not in text


@each_set
def test_what_is_missing_says_where_to_get_it(name: str, tmp_path: Path) -> None:
    kind = LAYOUTS[name].kind
    (need,) = kind().missing()
    assert "no folder given" in need.what
    assert "data.config.root=FOLDER" in need.next_step
    needs = kind(kind.Config(root=str(tmp_path))).missing()  # type: ignore[attr-defined]
    assert needs
    assert all("does not exist" in need.what for need in needs)
    with pytest.raises(DataError, match="does not exist"):
        kind(kind.Config(root=str(tmp_path))).samples()  # type: ignore[attr-defined]
    if name != "table":
        facts = read_facts(name)
        step = needs[0].next_step
        assert all(said in step for said in (facts.page, facts.licence, facts.cite, f"{facts.images:,} images"))


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name not in ("ham10000", "table")])
def test_a_wrong_cell_is_named_by_file_and_line(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    facts = read_facts(name)
    for column, field in facts.columns.prompt.items():
        path, rows = next((path, rows) for path, rows in layout.tables.items() if column in rows[0])
        changed = Layout(layout.kind, {**layout.tables, path: [{**rows[0], column: "!?"}, *rows[1:]]}, [], {})
        if name == "milk10k":
            changed.options = {"images": "both"}
        with pytest.raises(DataError, match=rf"{Path(path).name}: \d problem(.|\n)*line 2: {field}: '!\?' is not"):
            changed.write(tmp_path / column).samples()


def test_a_policy_gives_a_column_one_use() -> None:
    with pytest.raises(ValueError, match="age stands under two headings"):
        policy_of({"prompt": {"age": "age"}, "split": [], "label": [], "never": ["age"]})
    for name in LAYOUTS:
        policy = read_policy(name)
        assert not policy.read & {*policy.never, *policy.optional}


def test_every_label_maps_into_the_taxonomy() -> None:
    from skinframe_derm.dataset_facts import ISIC8, MALIGNANCY

    for name in LAYOUTS:
        if name == "table":
            continue
        for own, shared in read_facts(name).labels.items():
            assert set(shared) <= {"isic8", "malignancy"}, (name, own)
            assert shared.get("isic8", "MEL") in ISIC8
            assert shared.get("malignancy", "benign") in MALIGNANCY


def test_rows_without_a_class_are_counted(tmp_path: Path) -> None:
    LAYOUTS["fitzpatrick17k"].write(tmp_path)
    data = LAYOUTS["fitzpatrick17k"].write(tmp_path)
    assert data.left_out() == {"psoriasis": 1}
    own = type(data)(type(data).Config(root=str(tmp_path), label_set="own"))  # type: ignore[attr-defined]
    assert own.classes == ("kaposi sarcoma", "psoriasis")
    assert own.left_out() == {}


def test_truth_that_is_not_one_hot_names_its_own_table(tmp_path: Path) -> None:
    layout = LAYOUTS["isic2019"]
    truth = "ISIC_2019_Training_GroundTruth.csv"
    rows = [{**layout.tables[truth][0], "MEL": "1.0"}, layout.tables[truth][1]]
    with pytest.raises(DataError, match=rf"{truth} line 2: 2 of MEL, NV.* are 1; expected one"):
        Layout(Isic2019, {**layout.tables, truth: rows}, [], {}).write(tmp_path).samples()


def test_the_clinical_photograph_is_an_option(tmp_path: Path) -> None:
    LAYOUTS["derm7pt"].write(tmp_path)
    clinical = Derm7pt(Derm7pt.Config(root=str(tmp_path), images="clinical", official_split=False))
    assert (clinical.samples()[0].image, clinical.samples()[0].split) == ("images/A/a.jpg", None)
    LAYOUTS["milk10k"].write(tmp_path)
    both = Milk10k(Milk10k.Config(root=str(tmp_path), images="both"))
    assert [sample.group for sample in both.samples()] == ["lesion:IL_1", "lesion:IL_1"]


def test_vendor_measurements_need_their_option(tmp_path: Path) -> None:
    layout = Layout(Slice3d, {"train-metadata.csv": [{**TILE, **MEASURED}]}, [], {}, {"vendor_measured": True})
    data = layout.write(tmp_path)
    assert len(data.fields) == 4 + len(MEASURED)
    assert "tbp lv areaMM2: 1.5." in ClinicalTemplate().question(data.samples()[0], data.fields).user
    plain = Slice3d(Slice3d.Config(root=str(tmp_path)))
    assert "tbp" not in ClinicalTemplate().question(plain.samples()[0], plain.fields).user


def test_a_skin_type_that_only_the_biopsied_have_needs_its_option(tmp_path: Path) -> None:
    plain = LAYOUTS["pad_ufes_20"].write(tmp_path)
    assert "skin_type" not in {field.name for field in plain.fields} | set(plain.samples()[0].metadata)
    typed = PadUfes20(PadUfes20.Config(root=str(tmp_path), skin_type=True))
    assert typed.samples()[0].metadata["skin_type"] == "II"
    assert typed.digest() != plain.digest()


def test_an_hdf5_file_is_read_with_suspicion(tmp_path: Path) -> None:
    data = LAYOUTS["slice3d"].write(tmp_path)
    with pytest.raises(ImageProblem, match=r"no entry 'ISIC_9' in train-image\.hdf5"):
        data.image_bytes(type(data.samples()[0])(id="x", image="ISIC_9", label=0))
    layout = LAYOUTS["slice3d"]
    fresh = Layout(Slice3d, layout.tables, ["train-image.hdf5"], {}).write(tmp_path / "other")  # a picture of that name
    with pytest.raises(DataError, match="is not a readable HDF5 file"):
        fresh.image_bytes(fresh.samples()[0])


def test_options_are_dataclasses_with_a_root() -> None:
    for kind in register_datasets():
        assert "root" in {field.name for field in fields(kind.Config)}  # type: ignore[attr-defined]
