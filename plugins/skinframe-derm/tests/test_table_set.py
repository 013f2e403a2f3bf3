import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skinframe_derm import ClinicalTemplate, Table
from skinframe_derm.dataset_facts import read_policy

from skinframe import DataError
from skinframe.data.manifest import check_samples, write_manifest

TEXT = """id,image,label,patient,lesion,age,sex,site,split,veil,biopsied,notes
a,one.png,mel,p1,l1,61.5,Female,Head/Neck,train,yes,1,the diagnosis is melanoma
b,sub/two.png,nv,p2,,NA,,unknown,test,,0,benign
"""


def put(root: Path, text: str = TEXT) -> None:
    (root / "sub").mkdir(exist_ok=True)
    for name in ("one.png", "sub/two.png"):
        out = io.BytesIO()
        Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(out, "PNG")
        (root / name).write_bytes(out.getvalue())
    (root / "manifest.csv").write_text(text, encoding="utf-8")


def at(root: Path, **options: object) -> Table:
    return Table(Table.Config(root=str(root), **options))  # type: ignore[arg-type]


def test_manifest_becomes_samples(tmp_path: Path) -> None:
    put(tmp_path)
    data = at(tmp_path, attributes=["veil"])
    assert data.classes == ("mel", "nv")
    assert data.level == "patient"
    samples = data.samples()
    check_samples(samples, data.fields, data.classes, data.attributes)
    first, second = list(samples)
    assert (first.group, first.lesion, first.split) == ("patient:p1", "l1", "train")
    assert first.metadata == {"age": 61.5, "sex": "female", "site": "head/neck"}
    assert second.metadata == {"age": None, "sex": None, "site": None}
    assert (first.attributes, second.attributes) == ((True,), (None,))
    assert data.image_bytes(second)[:4] == b"\x89PNG"


def test_columns_outside_the_policy_reach_nothing(tmp_path: Path) -> None:
    put(tmp_path)
    data = at(tmp_path)
    before = data.samples()
    asked = [ClinicalTemplate().question(sample, data.fields) for sample in before]
    put(tmp_path, TEXT.replace("the diagnosis is melanoma", "other").replace(",1,", ",0,").replace("benign", "x"))
    assert list(at(tmp_path).samples()) == list(before)
    assert at(tmp_path).digest() == data.digest()
    assert "melanoma" not in repr(list(before))
    assert "Age 60-64 years. Sex female. Site head/neck." in asked[0].user
    for name in ("biopsied", "notes", "veil"):
        assert name not in read_policy("table").read


@pytest.mark.parametrize("column", ["age", "label", "patient", "split"])
def test_a_column_with_a_use_is_no_attribute(column: str) -> None:
    with pytest.raises(ValueError, match=f"attributes must not name {column}"):
        Table.Config(attributes=(column,))


def test_level_follows_the_groups(tmp_path: Path) -> None:
    put(tmp_path)
    assert at(tmp_path, groups="image").level == "image"
    assert {sample.group for sample in at(tmp_path, groups="image").samples()} == {"image:a", "image:b"}
    with pytest.raises(DataError, match="line 3: no lesion; expected"):
        at(tmp_path, groups="lesion").samples()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("one.png", "../one.png", "line 2: image '../one.png' contains '..'"),
        ("one.png", "/etc/passwd", "line 2: image '/etc/passwd' is absolute"),
        ("one.png", "https://example.org/a.png", "line 2: image 'https.*is a URL"),
        (",Female,", ",x,", "line 2: sex: 'x' is not one of"),
        ("\nb,", "\na,", "line 3: duplicate id a, first used in line 2"),
        (",mel,", ",,", "line 2: no label; expected one of mel, nv"),
        (",mel,", ",scc,", "line 2: label: 'scc' is not one of mel, nv"),
        (",train,", ",dev,", "line 2: split: 'dev' is not one of train, valid, test"),
        (",yes,", ",maybe,", "line 2: veil: 'maybe' is not yes or no"),
        (",label,", ",labels,", "line 1: no column label; the header is id, image"),
    ],
)
def test_bad_cells_name_file_line_and_reason(tmp_path: Path, old: str, new: str, said: str) -> None:
    put(tmp_path, TEXT.replace(old, new, 1))
    with pytest.raises(DataError, match=rf"manifest\.csv: 1 problem\n  {said}"):
        at(tmp_path, attributes=("veil",), classes=("mel", "nv")).samples()


def test_a_parquet_manifest_is_the_same_set(tmp_path: Path) -> None:
    put(tmp_path)
    plain = at(tmp_path, attributes=("veil",))
    write_manifest(tmp_path / "m.parquet", plain.samples(), plain.samples().schema)  # type: ignore[attr-defined]
    data = at(tmp_path, manifest="m.parquet")
    assert list(data.samples()) == list(plain.samples())
    assert (data.classes, data.attributes, data.fields) == (plain.classes, ("veil",), plain.fields)
    single = at(tmp_path, manifest="m.parquet", groups="image")
    assert [sample.group for sample in single.samples()] == ["image:a", "image:b"]
    with pytest.raises(DataError, match=r"m\.parquet: 1 rows have no lesion; set data\.config\.groups"):
        at(tmp_path, manifest="m.parquet", groups="lesion").samples()
    with pytest.raises(DataError, match="holds the classes mel, nv; leave"):
        at(tmp_path, manifest="m.parquet", classes=("nv", "mel")).samples()


def test_missing_says_what_to_write(tmp_path: Path) -> None:
    assert "data.config.root" in Table().missing()[0].next_step
    with pytest.raises(DataError, match=r"manifest\.csv does not exist; write a CSV with the columns id, image, label"):
        at(tmp_path).samples()


@settings(deadline=None, derandomize=True, max_examples=250)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=3)), min_size=1, max_size=6))
def test_mutated_manifests_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, bytes]]
) -> None:
    data = TEXT.encode()
    for place, new in changes:
        at_ = place % len(data)
        data = data[:at_] + new + data[at_ + 1 :]
    root = tmp_path_factory.getbasetemp()
    (root / "manifest.csv").write_bytes(data)
    table = at(root)
    try:
        samples = table.samples()
        if samples:
            check_samples(samples, table.fields, table.classes)
    except DataError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
