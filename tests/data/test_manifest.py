import pickle
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skinframe import DataError, Field, Sample
from skinframe.data.images import path_problem
from skinframe.data.manifest import build_manifest, check_samples, read_manifest, write_manifest
from skinframe.data.row_schema import RowSchema

FIELDS = (Field(name="age", low=0, high=120), Field(name="sex", values=("female", "male")))
CLASSES = ("mel", "nv")


def one(id_: str = "a", **changes: object) -> Sample:
    return Sample(**({"id": id_, "image": f"{id_}.jpg", "label": 0} | changes))  # type: ignore[arg-type]


def test_a_clean_set_passes() -> None:
    check_samples(
        [one("a", metadata={"age": 0.0, "sex": None}), one("b", attributes=(True, None))], FIELDS, CLASSES, "xy"
    )


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([one(), one()], "duplicate id in rows 0 and 1"),
        ([one("")], "id: '' is not 1 to 256 characters"),
        ([one("a\nb", image="a.jpg")], "id: .* without control characters"),
        ([one(label=2)], "label: 2 is not one of mel, nv"),
        ([one(label=-1)], "label: -1 is not one of"),
        ([one(metadata={"age": 121.0})], r"age: 121.0 is not a number in \[0, 120\]"),
        ([one(metadata={"sex": "m"})], "sex: 'm' is not one of female, male"),
        ([one(metadata={"dx_type": "histo"})], "dx_type: no such field; known: age, sex"),
        ([one(attributes=(True,))], "1 attributes; the data set has 0"),
        ([one(image="../x.jpg")], "could leave the data root"),
        ([], "no samples"),
    ],
)
def test_each_problem_is_named(samples: list[Sample], said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_samples(samples, FIELDS, CLASSES)


def test_all_problems_at_once_with_a_total() -> None:
    with pytest.raises(DataError) as raised:
        check_samples([one(str(i), label=9) for i in range(50)], FIELDS, CLASSES)
    lines = str(raised.value).splitlines()
    assert lines[0] == "data: 50 problems"
    assert len(lines) == 22
    assert lines[-1] == "  … and 30 more"


@pytest.mark.parametrize(
    "reference",
    [
        *("", "  ", "/etc/passwd", "\\\\host\\share\\x.jpg", "~/x.jpg", "a/../../x", "..", "a\\..\\..\\x", "x\0.jpg"),
        *("http://a/b.jpg", "file:///x", "data:image/png;base64,x", "C:\\x.jpg", "a\nb.jpg"),
    ],
)
def test_bad_references(reference: str) -> None:
    assert path_problem(reference)


@pytest.mark.parametrize("reference", ["x.jpg", "part_1/x.jpg", "a..b/x.jpg", "ünï.png", "a b.png"])
def test_good_references(reference: str) -> None:
    assert path_problem(reference) is None


ROW = {"id": "a", "image": "a.jpg", "label": "mel", "lesion": "l1", "meta.age": "61.5", "meta.sex": "female"}


def schema(group: str | None = None) -> RowSchema:
    return RowSchema(FIELDS, CLASSES, ("veil",), group)


def test_text_becomes_typed_samples_in_the_order_of_ids() -> None:
    rows = [
        {**ROW, "id": "b", "attr.veil": "yes", "file": "t.csv", "line": 2, "labels": [("own", "melanoma")]},
        {**ROW, "split": "test", "boxes": [("lesion", [1, 2, 3, 4])], "masks": [("lesion", "m/a.png")], "line": 3},
    ]
    first, second = build_manifest("t.csv", rows, schema("lesion"))
    assert (first.id, first.split, first.masks) == ("a", "test", {"lesion": "m/a.png"})
    assert first.boxes == {"lesion": (1.0, 2.0, 3.0, 4.0)}
    assert first.metadata == {"age": 61.5, "sex": "female"}
    assert (second.attributes, second.labels, second.file, second.line) == ((True,), {"own": "melanoma"}, "t.csv", 2)
    assert (first.attributes, second.label, second.group) == ((None,), 0, "lesion:l1")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": "../a.jpg"}, r"line 7: image '../a.jpg' contains '\.\.'"),
        ({"image": "\\\\host\\a.jpg"}, "line 7: image .* is absolute"),
        ({"image": "data:image/png;base64,x"}, "line 7: image .* is a URL"),
        ({"image": "a\0.jpg"}, "line 7: image .* contains a control character"),
        ({"masks": [("lesion", "~/m.png")]}, "line 7: masks: "),
        ({"boxes": [("lesion", [1, 2, 3])]}, "line 7: boxes: "),
        ({"meta.age": "nan"}, r"line 7: age: 'nan' is not a number in \[0, 120\]"),
        ({"meta.age": "1e999"}, r"line 7: age: '1e999' is not a number in"),
        ({"meta.sex": "f"}, "line 7: sex: 'f' is not one of female, male"),
        ({"meta.dx_type": "histo"}, "line 7: dx_type: no such field; known: age, sex"),
        ({"biopsied": "1"}, "line 7: biopsied: no such field"),
        ({"attr.veil": "maybe"}, "line 7: veil: 'maybe' is not yes or no"),
        ({"split": "dev"}, "line 7: split: 'dev' is not one of train, valid, test"),
        ({"label": None}, "line 7: no label; expected one of mel, nv"),
        ({"lesion": None}, "line 7: no lesion; expected"),
        ({"id": "x" * 300}, "line 7: id: 'x.*… is not 1 to 256 characters"),
    ],
)
def test_each_bad_cell_is_named_by_line(change: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=f"^t.csv: 1 problem\n  {said}"):
        build_manifest("t.csv", [{**ROW, "line": 6, "id": "z"}, {**ROW, "line": 7, **change}], schema("lesion"))


def test_bad_cells_and_repeated_ids_of_every_batch_come_in_one_message() -> None:
    rows = [{**ROW, "id": f"s{i}", "line": i + 2, "label": "x" if i % 4000 == 0 else "nv"} for i in range(20_000)]
    rows.append({**ROW, "id": "s5", "line": 20_002})
    with pytest.raises(DataError) as raised:
        build_manifest("t.csv", rows, schema())
    lines = str(raised.value).splitlines()
    assert lines[0] == "t.csv: 6 problems"
    assert lines[5] == "  line 16002: label: 'x' is not one of mel, nv"
    assert lines[6] == "  line 20002: duplicate id s5, first used in line 7"


def test_parquet_holds_the_same_samples_and_is_checked_again(tmp_path: Path) -> None:
    rows = [{**ROW, "id": f"s{i:05d}", "line": i, "file": "t.csv", "attr.veil": "no"} for i in range(9000)]
    made = build_manifest("t.csv", rows, schema())
    path = tmp_path / "m.parquet"
    write_manifest(path, made, made.schema)
    read = read_manifest(path)
    assert list(read) == list(made)
    assert read.digest == made.digest
    assert (read[-1], read[8999].line, len(read[10:20])) == (made[8999], 8999, 10)
    assert read.schema.fields == FIELDS
    other = [replace(sample, label=1) if sample.id == "s00007" else sample for sample in made]
    write_manifest(path, other, made.schema)
    assert read_manifest(path).digest != made.digest
    write_manifest(path, [replace(made[0], image="/etc/passwd", line=4)], made.schema)
    with pytest.raises(DataError, match="line 4: image '/etc/passwd' is absolute"):
        read_manifest(path)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"id,image\n", b"PAR1" + b"\xff" * 4096 + b"PAR1"])
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"m\.parquet: not a manifest of the format skinframe-manifest-1"):
        read_manifest(tmp_path / "m.parquet")


def test_a_foreign_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    pq.write_table(pa.table({"id": ["a"]}), path)
    with pytest.raises(DataError, match="has no description"):
        read_manifest(path)
    with pytest.raises(DataError, match="no such file"):
        read_manifest(tmp_path / "none.parquet")


def test_a_manifest_travels_to_a_worker(tmp_path: Path) -> None:
    made = build_manifest("t.csv", [{**ROW, "line": 2}], schema("lesion"))
    there = pickle.loads(pickle.dumps(made))  # noqa: S301 - as a worker process gets it
    assert list(there) == list(made)
    assert there.schema.group == "lesion"
