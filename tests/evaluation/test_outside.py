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
    "no label": (ROWS, HEAD.replace("label", "outcome"), TableColumns(), "no column 'label'.*with --label COLUMN"),
    "no group": (ROWS, HEAD.replace("group", "who"), TableColumns(), "no column 'group'.*say --group none"),
    "near": (ROWS, HEAD, TableColumns(id="idd"), "no column 'idd'; did you mean 'id'"),
    "no class": (ROWS, HEAD.replace("probability:", "x_"), TableColumns(), "name each as --class NAME=COLUMN"),
    "no row": ([], HEAD, TableColumns(), "holds no row"),
    "twice": (changed(2, "001,p2,nevus,0.5,0.5"), HEAD, TableColumns(), "line 4: id '001' .* stood in line 2 already"),
    "empty id": (changed(1, ",p1,nevus,0.5,0.5"), HEAD, TableColumns(), "line 3: column 'id' is empty"),
    "empty group": (changed(1, "002,,nevus,0.5,0.5"), HEAD, TableColumns(), "line 3: column 'group' is empty"),
    "label": (changed(1, "002,p1,nevu,0.5,0.5"), HEAD, TableColumns(), "line 3: label 'nevu' .* did you mean 'nevus'"),
    "sum": (changed(0, "001,p1,nevus,0.8,0.4"), HEAD, TableColumns(), "line 2: .* must sum to 1 .* got 1.2"),
    "range": (changed(0, "001,p1,nevus,-3,4"), HEAD, TableColumns(), r"line 2: .* in \[0, 1\] \(are these logits"),
    "word": (changed(0, "001,p1,nevus,high,0.4"), HEAD, TableColumns(), "line 2: .* must be a number, got 'high'"),
    "nan": (changed(0, "001,p1,nevus,nan,0.4"), HEAD, TableColumns(), "line 2: .* not a finite number, got nan"),
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
    with pytest.raises(DataError, match="is not a readable Parquet table"):
        read_external(tmp_path / "x.parquet", TableColumns())


def test_more_rows_like_the_first_are_counted(tmp_path):
    rows = [f"{i},p,other,0.5,0.5" for i in range(1000)]
    with pytest.raises(DataError, match=r"line 2: .* \(and 999 more rows like it\)"):
        read_external(write(tmp_path, rows), TableColumns())


def test_columns_of_published_tables_are_guessed_and_named(tmp_path):
    head = "isic_id,patient_id,dx,probability_class_0,probability_class_1"
    found = read_external(write(tmp_path, ["a,p,0,0.9,0.1", "b,q,1,0.2,0.8"], head), TableColumns())
    assert found.classes == ("0", "1")
    assert " ".join(found.guesses).startswith(
        "--id isic_id --group patient_id --label dx --class 0=probability_class_0"
    )


@pytest.mark.parametrize(
    ("head", "classes"),
    [
        ("image,patient,diagnosis,MEL,NV", ("MEL", "NV")),
        ("image,patient,diagnosis,prob_mel,prob_nv", ("MEL", "NV")),
        ("filename,Patient-ID,True Label,p_MEL,p_NV", ("MEL", "NV")),
    ],
)
def test_class_columns_are_found_by_prefix_or_by_the_labels(tmp_path, head, classes):
    found = read_external(write(tmp_path, ["a,p,MEL,0.9,0.1", "b,q,NV,0.2,0.8"], head), TableColumns())
    assert (found.classes, found.labels.tolist()) == (classes, [0, 1])


def test_numbered_columns_beside_named_labels_are_not_guessed(tmp_path):
    head = "id,group,label,probability_class_0,probability_class_1"
    with pytest.raises(DataError, match=r"say --class NAME=probability_class_0 --class NAME=probability_class_1"):
        read_external(write(tmp_path, ["a,p,MEL,0.9,0.1", "b,q,NV,0.2,0.8"], head), TableColumns())


def test_a_single_score_needs_a_plain_yes(tmp_path):
    found = read_external(write(tmp_path, ["a,p,0,0.1", "b,q,1,0.8"], "id,group,target,score"), TableColumns())
    assert (found.classes, found.labels.tolist()) == (("0", "1"), [0, 1])
    with pytest.raises(DataError, match="which of the labels bcc and scc does 'score' score"):
        read_external(write(tmp_path, ["a,p,bcc,0.1", "b,q,scc,0.8"], "id,group,target,score"), TableColumns())


def test_every_problem_of_a_table_is_named_at_once(tmp_path):
    with pytest.raises(DataError) as caught:
        read_external(write(tmp_path, ["1,2"], "x,z"), TableColumns(numbers=("w",)))
    text = str(caught.value)
    for option in ("--id COLUMN", "--group none", "--label COLUMN", "--class NAME=COLUMN", "no column 'w'"):
        assert option in text
    rows = ["001,,nevus,0.8,0.2", "001,p1,nevu,0.3,0.9"]
    with pytest.raises(DataError) as caught:
        read_external(write(tmp_path, rows), TableColumns())
    text = str(caught.value)
    for words in ("stood in line 2 already", "column 'group' is empty", "must sum to 1", "label 'nevu'"):
        assert words in text


def test_any_encoding_and_delimiter_is_read_alike(tmp_path):
    expected = read_external(write(tmp_path), TableColumns()).probabilities
    text = "\n".join([HEAD, *ROWS]) + "\n"
    for number, (encoding, before, after) in enumerate(
        [("utf-8-sig", ",", ","), ("utf-16", ",", "\t"), ("utf-8", ",", ";"), ("utf-16", ",", "|")]
    ):
        path = tmp_path / f"{number}.csv"
        path.write_bytes(text.replace(before, after).encode(encoding))
        np.testing.assert_allclose(read_external(path, TableColumns()).probabilities, expected)
    comma = tmp_path / "comma.csv"
    comma.write_text(text.replace(",", ";").replace("0.", "0,"))
    np.testing.assert_allclose(read_external(comma, TableColumns()).probabilities, expected)
    (tmp_path / "latin.csv").write_bytes("id,größe\n1,2\n".encode("latin-1"))
    with pytest.raises(DataError, match="byte 5 is not UTF-8; save the table as UTF-8"):
        read_external(tmp_path / "latin.csv", TableColumns())


@pytest.mark.parametrize(
    ("row", "values"),
    [
        ("1.0000001,0.0", [1.0, 0.0]),
        ("-0.0000001,1.0", [0.0, 1.0]),
        ("0.67,0.34", [0.67 / 1.01, 0.34 / 1.01]),
    ],
)
def test_rounding_is_no_mistake(tmp_path, row, values):
    found = read_external(write(tmp_path, [f"a,p,nevus,{row}"]), TableColumns())
    np.testing.assert_allclose(found.probabilities[0], values, atol=1e-9)
    assert found.scaled == (2 if row.startswith("0.67") else 0)


def test_a_message_shows_the_digits_that_matter(tmp_path):
    with pytest.raises(DataError, match=r"got 1.00001"):
        read_external(write(tmp_path, ["a,p,nevus,1.00001,0"]), TableColumns())


def test_labels_may_be_words_for_missing_values_and_whole_numbers(tmp_path):
    head = "id,group,label,probability:None,probability:NA"
    found = read_external(write(tmp_path, ["a,p,None,0.9,0.1", "b,q,NA,0.2,0.8"], head), TableColumns())
    assert found.labels.tolist() == [0, 1]
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.table({"id": [1, 2], "group": [1, 2], "label": [0.0, 1.0], "p_0": [0.9, 0.2], "p_1": [0.1, 0.8]}), path
    )
    assert read_external(path, TableColumns()).labels.tolist() == [0, 1]


def test_probabilities_that_are_called_logits_are_refused(tmp_path):
    columns = TableColumns(logits=True, classes={"nevus": "probability:nevus", "melanoma": "probability:melanoma"})
    with pytest.raises(DataError, match=r"the columns hold probabilities.*leave out --logits"):
        read_external(write(tmp_path), columns)
    single = TableColumns(logits=True, classes={"1": "score"}, rest="0")
    with pytest.raises(DataError, match="leave out --logits"):
        read_external(write(tmp_path, ["a,p,0,0.2", "b,p,1,0.9"], "id,group,label,score"), single)


@pytest.mark.parametrize(("low", "high"), [(40, 60), (-860, -760), (700, 900), (-50, 50)])
def test_scores_that_round_to_one_keep_their_order(tmp_path, low, high):
    from skinframe.roc import auroc

    values = np.linspace(low, high, 41)
    rows = [f"{i},p{i},{i % 2},{value!r}" for i, value in enumerate(values.tolist())]
    columns = TableColumns(classes={"1": "score"}, rest="0", logits=True)
    found = read_external(write(tmp_path, rows, "id,group,label,score"), columns)
    for c in (0, 1):
        area = auroc(found.labels == c, found.probabilities[:, c])
        exact = auroc(found.labels == c, values if c else -values)
        assert area(np.ones((1, 41))) == exact(np.ones((1, 41)))
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0, atol=1e-12)
    tied = read_external(write(tmp_path, ["a,p,0,50", "b,q,1,50"], "id,group,label,score"), columns)
    assert tied.probabilities[0, 1] == tied.probabilities[1, 1]
