"""A finished run on new images."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import skinframe
from skinframe.errors import DataError, RecipeError
from skinframe.predicting.finished_run import plan_of_run


def test_the_plan_is_the_run_s_own(finished: Path) -> None:
    assert plan_of_run(finished).run_name == finished.name


def test_probabilities_rationale_and_heat(finished: Path, photograph: Path, tmp_path: Path) -> None:
    (found,) = skinframe.predict(finished, [photograph], metadata={"age": "60", "sex": "female"}, out=tmp_path)
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.prediction == max(found.probabilities, key=lambda name: found.probabilities[name])
    assert found.heat is not None
    assert Path(found.heat).read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "predictions.json").read_text())[0]["prediction"] == found.prediction


def test_metadata_is_read(finished: Path, photograph: Path) -> None:
    plain, told = (skinframe.predict(finished, [photograph], metadata=m)[0] for m in ({}, {"age": "80", "sex": "male"}))
    assert plain.probabilities != told.probabilities


def test_a_test_image_is_predicted_as_in_the_run(finished: Path, tmp_path: Path) -> None:
    """The same image, metadata and checkpoint give the run's own test probabilities."""
    import pyarrow.parquet as pq

    plan = plan_of_run(finished)
    table = pq.read_table(finished / "predictions" / "test.parquet").to_pylist()
    known = {sample.id: sample for sample in plan.parts.dataset.samples()}
    row = table[0]
    sample = known[row["id"]]
    image = tmp_path / "image.png"
    image.write_bytes(plan.parts.dataset.image_bytes(sample))
    metadata = {name: str(value) for name, value in sample.metadata.items() if value is not None}
    (found,) = skinframe.predict(finished, [image], metadata=metadata)
    values = [value for name, value in row.items() if name.startswith("calibrated")]
    assert list(found.probabilities.values()) == pytest.approx(values, abs=1e-5)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"aeg": "60"}, "did you mean 'age'"),
        ({"age": "old"}, "'old' is not a number"),
        ({"age": "400"}, r"not a number in \[0, 120\]"),
        ({"sex": "f"}, "'f' is not one of"),
    ],
)
def test_metadata_out_of_range_is_refused(
    finished: Path, photograph: Path, metadata: dict[str, str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        skinframe.predict(finished, [photograph], metadata=metadata)


def test_a_missing_or_broken_image_is_refused_by_name(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.png.*no such file"):
        skinframe.predict(finished, [tmp_path / "nowhere.png"])
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"GIF89a not an image")
    with pytest.raises(DataError, match=r"broken\.png.*not a JPEG or PNG"):
        skinframe.predict(finished, [broken])


def test_a_folder_that_is_no_finished_run_is_refused(tmp_path: Path, photograph: Path) -> None:
    with pytest.raises(RecipeError, match="not a finished run"):
        skinframe.predict(tmp_path, [photograph])


def test_other_weights_than_the_run_s_are_refused(finished: Path, photograph: Path, tmp_path: Path) -> None:
    run = tmp_path / finished.name
    shutil.copytree(finished, run)
    path = run / "plan.yaml"
    lines = [
        "  encoders.clip.digest: '0000'" if line.startswith("  encoders.clip.digest") else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines))
    with pytest.raises(RecipeError, match=r"encoders\.clip\.digest: was 0000 in that run"):
        skinframe.predict(run, [photograph])


def test_a_folder_goes_in_and_a_csv_comes_out(finished: Path, photograph: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photographs"
    (folder / "more").mkdir(parents=True)
    shutil.copy(photograph, folder / "b.PNG")
    shutil.copy(photograph, folder / "more" / "a.png")
    (folder / "broken.jpg").write_bytes(b"no image")
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "notes.txt").write_text("nothing")
    found = skinframe.predict(finished, [folder], metadata={"age": "60"}, out=tmp_path / "answers.csv")
    lines = (tmp_path / "answers.csv").read_text().splitlines()
    assert [Path(one.image).name for one in found] == ["b.PNG", "a.png", "broken.jpg"]
    assert len(lines) == 4
    assert lines[0].startswith('"image","prediction","probability:')
    assert found[2].problem
    assert found[2].problem in lines[3]
    assert "not predicted" in str(found)
    assert found[0].probabilities == found[1].probabilities
    assert "age" not in found[0].missing
    assert "sex" in found[0].missing
    assert "metadata that are not recorded here" in str(found)


def test_a_table_gives_each_image_its_metadata(finished: Path, photograph: Path, tmp_path: Path) -> None:
    shutil.copy(photograph, tmp_path / "a.png")
    table = tmp_path / "list.csv"
    table.write_text("filename;age;sex;colour\na.png;60;female;red\na;;NA;blue\n")
    found = skinframe.predict(finished, [table], metadata={"age": "30"}, out=tmp_path / "out")
    (alone,) = skinframe.predict(finished, [photograph], metadata={"age": "60", "sex": "female"})
    assert found[0].probabilities == pytest.approx(alone.probabilities, abs=1e-6)
    assert "sex" in found[1].missing
    assert "age" not in found[1].missing
    assert "'colour'" in str(found)
    assert (tmp_path / "out" / "predictions.csv").is_file()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("photo,age\na.png,60\n", "has no column of image files"),
        ("image,age\na.png,old\n", "line 2: column age: 'old' is not a number"),
        ("image,sex\na.png,f\n", "line 2: column sex: 'f' is not one of"),
        ("image,age\nnowhere.png,60\n", "none of the 1 images can be read, such as .*nowhere.png: no such file"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(finished: Path, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        skinframe.predict(finished, [tmp_path / "list.csv"])


def test_a_folder_without_an_image_is_refused(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no image; expected files that end in"):
        skinframe.predict(finished, [tmp_path])
