"""A table of any system's predictions: what is read, and one clear message for every mistake."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skinframe.errors import DataError
from skinframe.evaluation.external_predictions import TableColumns, read_external

HEAD = "id,group,label,probability:nevus,probability:melanoma"
ROWS = ["001,p1,nevus,0.8,0.2", "002,p1,melanoma,0.3,0.7", "003,p2,nevus,0.5,0.5"]


def write(tmp_path, rows=ROWS, head=HEAD, name="table.csv"):
    path = tmp_path / name
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def test_a_table_that_is_named_as_ours_needs_no_option(tmp_path):
    found = read_external(write(tmp_path), TableColumns())
    assert (found.classes, found.ids, found.groups) == (
        ("nevus", "melanoma"),
        ("001", "002", "003"),
        ("p1", "p1", "p2"),
    )
    assert found.labels.tolist() == [0, 1, 0]
    np.testing.assert_allclose(found.probabilities, [[0.8, 0.2], [0.3, 0.7], [0.5, 0.5]])
    np.testing.assert_allclose(np.exp(found.logits), found.probabilities)


def test_parquet_and_mapped_columns_give_the_same(tmp_path):
    path = tmp_path / "table.parquet"
    columns = {"image": ["a", "b"], "who": ["1", "2"], "dx": ["nv", "mel"], "p1": [0.8, 0.3], "p2": [0.2, 0.7]}
    pq.write_table(pa.table({**columns, "w": [1.0, 2.0], "sex": ["f", None]}), path)
    asked = TableColumns(
        id="image", group="who", label="dx", classes={"nv": "p1", "mel": "p2"}, numbers=("w",), words=("sex",)
    )
    found = read_external(path, asked)
    assert found.classes == ("nv", "mel")
    assert found.labels.tolist() == [0, 1]
    assert found.numbers["w"].tolist() == [1.0, 2.0]
    assert found.words["sex"] == ("f", None)


def test_one_score_is_a_question_of_yes_or_no(tmp_path):
    path = write(tmp_path, ["a,p,0,0.1", "b,p,1,0.9"], "id,group,label,score")
    found = read_external(path, TableColumns(classes={"1": "score"}, rest="0"))
    assert found.classes == ("0", "1")
    assert found.labels.tolist() == [0, 1]
    np.testing.assert_allclose(found.probabilities, [[0.9, 0.1], [0.1, 0.9]])
    logits = read_external(
        write(tmp_path, ["a,p,0,-2", "b,p,1,300"], "id,group,label,score"),
        TableColumns(classes={"1": "score"}, rest="0", logits=True),
    )
    np.testing.assert_allclose(logits.probabilities[:, 1], [1 / (1 + np.exp(2)), 1.0])


def test_no_patients_must_be_said(tmp_path):
    found = read_external(write(tmp_path), TableColumns(group=""))
    assert not found.grouped
    assert len(set(found.groups)) == 3


def changed(row, text):
    return [text if i == row else one for i, one in enumerate(ROWS)]


MISTAKES = {
    "no label": (ROWS, HEAD.replace("label", "dx"), TableColumns(), r"no column 'label'.*name it with --label COLUMN"),
    "no group": (ROWS, HEAD.replace("group", "who"), TableColumns(), "no column 'group'.*say --group none"),
    "near": (ROWS, HEAD, TableColumns(id="idd"), "no column 'idd'; did you mean 'id'"),
    "no class": (ROWS, HEAD.replace("probability:", "p_"), TableColumns(), "name each as --class NAME=COLUMN"),
    "no row": ([], HEAD, TableColumns(), "holds no row"),
    "twice": (changed(2, "001,p2,nevus,0.5,0.5"), HEAD, TableColumns(), "line 4: id '001' .* stood in line 2 already"),
    "empty id": (changed(1, ",p1,nevus,0.5,0.5"), HEAD, TableColumns(), "line 3: column 'id' is empty"),
    "empty group": (changed(1, "002,,nevus,0.5,0.5"), HEAD, TableColumns(), "line 3: column 'group' is empty"),
    "label": (changed(1, "002,p1,nevu,0.5,0.5"), HEAD, TableColumns(), "line 3: label 'nevu' .* did you mean 'nevus'"),
    "sum": (changed(0, "001,p1,nevus,0.8,0.4"), HEAD, TableColumns(), "line 2: .* must sum to 1 .* got 1.2"),
    "range": (changed(0, "001,p1,nevus,-3,4"), HEAD, TableColumns(), r"line 2: .* in \[0, 1\] \(are these logits"),
    "word": (changed(0, "001,p1,nevus,high,0.4"), HEAD, TableColumns(), "line 2: .* must be a number, got 'high'"),
    "nan": (changed(0, "001,p1,nevus,nan,0.4"), HEAD, TableColumns(), "line 2: .* must be a number, got nothing"),
    "infinite": (changed(0, "001,p1,nevus,inf,0.4"), HEAD, TableColumns(), "line 2: .* not a finite number, got inf"),
    "nothing": (changed(0, "001,p1,nevus,,0.4"), HEAD, TableColumns(), "line 2: .* must be a number, got nothing"),
    "ragged": (changed(0, "001,p1,nevus"), HEAD, TableColumns(), "not a CSV or Parquet table"),
    "heads": (ROWS, HEAD.replace("group", "id"), TableColumns(), "two columns are named 'id'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_has_one_clear_message(tmp_path, mistake):
    rows, head, columns, message = MISTAKES[mistake]
    with pytest.raises(DataError, match=message) as caught:
        read_external(write(tmp_path, rows, head), columns)
    assert "table.csv" in str(caught.value)
    assert caught.value.exit_code == 3


def test_what_is_no_table_says_so(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_external(tmp_path / "absent.csv", TableColumns())
    (tmp_path / "x.parquet").write_bytes(b"not parquet")
    with pytest.raises(DataError, match="not a CSV or Parquet table"):
        read_external(tmp_path / "x.parquet", TableColumns())


def test_more_rows_like_the_first_are_counted(tmp_path):
    rows = [f"{i},p,other,0.5,0.5" for i in range(1000)]
    with pytest.raises(DataError, match=r"line 2: .* \(and 999 more rows like it\)"):
        read_external(write(tmp_path, rows), TableColumns())
