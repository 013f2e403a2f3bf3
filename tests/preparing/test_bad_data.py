"""Data that is not usable: what can be set aside is counted in the report, the rest stops before training."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinframe.errors import DataError

Rows = list[dict[str, str]]
COLUMNS = ("id", "image", "label", "patient", "lesion", "age", "sex", "site", "split")


@pytest.fixture(scope="session")
def photographs() -> list[bytes]:
    from skinframe_tiny import SyntheticDermoscopy

    dataset = SyntheticDermoscopy(SyntheticDermoscopy.Config(images=36, seed=5))
    return [dataset.image_bytes(sample) for sample in dataset.samples()]


@pytest.fixture
def table(tmp_path: Path, photographs: list[bytes]) -> Callable[..., list[str]]:
    """Return a function that writes a folder of images with a manifest, and gives the preset that reads it."""

    def write(change: Callable[[Rows, Path], None] = lambda rows, folder: None) -> list[str]:
        folder = tmp_path / "set"
        folder.mkdir()
        rows = [
            {"id": f"i{n:02d}", "image": f"{n:02d}.png", "label": ("nevus", "melanoma")[n % 2], "patient": f"p{n // 2}"}
            | {"age": "60", "sex": "female", "site": "head/neck", "lesion": f"l{n}", "split": ""}
            for n in range(len(photographs))
        ]
        for row, data in zip(rows, photographs, strict=True):
            (folder / row["image"]).write_bytes(data)
        change(rows, folder)
        with (folder / "manifest.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        preset = tmp_path / "table.yaml"
        preset.write_text(f"data: {{use: table, config: {{root: {folder}, classes: [nevus, melanoma]}}}}\n")
        return [str(preset)]

    return write


def run(small: Any, preset: list[str], out: Path, *overrides: str) -> Any:
    kept = [one for one in small.overrides if not one.startswith("data.")]
    import skinframe

    options = {"out": out, "cache": small.cache, "quiet": True, "presets": preset}
    return skinframe.run(small.recipe, overrides=[*kept, "train.epochs=1", *overrides], **options)


def damage(rows: Rows, folder: Path) -> None:
    (folder / "03.png").write_bytes((folder / "03.png").read_bytes()[:2000])
    (folder / "08.png").write_bytes(b"<html>not found</html>")
    (folder / "11.png").unlink()


def test_unreadable_images_are_set_aside_and_counted(
    small: Any, table: Callable[..., list[str]], tmp_path: Path
) -> None:
    result = run(small, table(damage), tmp_path / "out", "images.max_fraction=0.1")
    report = json.loads((result.folder / "report.json").read_text())
    aside = report.get("report", report)["data"]["quarantined"]
    assert [Path(one["file"]).name for one in aside] in (["i03", "i08", "i11"], ["03.png", "08.png", "11.png"])
    reasons = [one["reason"] for one in aside]
    assert "cannot be decoded" in reasons[0]
    assert "is not a JPEG or PNG" in reasons[1]
    assert "no such file" in reasons[2]
    page = (result.folder / "report.html").read_text()
    assert "3 images could not be read and were excluded" in page
    assert sum(part["images"] for part in report.get("report", report)["data"]["splits"]) == 33


def test_too_many_unreadable_images_stop_the_run(small: Any, table: Callable[..., list[str]], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"3 of 36"):
        run(small, table(damage), tmp_path / "out")


def test_under_the_strict_policy_the_first_stops_the_run(
    small: Any, table: Callable[..., list[str]], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"(?s)i03|03\.png"):
        run(small, table(damage), tmp_path / "out", "images.policy=error")


def edit(index: int, **values: str) -> Callable[[Rows, Path], None]:
    return lambda rows, folder: rows[index].update(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (edit(4, label="nevsu"), r"manifest\.csv.*(?s:.)*line 6.*label: 'nevsu' is not one of nevus, melanoma"),
        (edit(4, age="600"), r"line 6.*600"),
        (edit(4, age="old"), r"line 6.*old"),
        (edit(4, sex="f"), r"line 6.*'f'"),
        (edit(4, site="moon"), r"line 6.*'moon'"),
        (edit(4, id="i00"), r"duplicate id i00, first used in line 2"),
        (edit(4, image="../../secret.png"), r"line 6.*'\.\.'"),
        (edit(4, image="/etc/passwd"), r"line 6.*is absolute"),
        (edit(4, patient=""), r"line 6.*no patient; expected"),
        (edit(4, split="holdout"), r"line 6.*holdout"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(
    small: Any, table: Callable[..., list[str]], tmp_path: Path, change: Callable[[Rows, Path], None], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        run(small, table(change), tmp_path / "out")
    assert not list(tmp_path.glob("out/*/checkpoints"))


def test_a_patient_in_two_official_splits_is_refused(
    small: Any, table: Callable[..., list[str]], tmp_path: Path
) -> None:
    def change(rows: Rows, folder: Path) -> None:
        for n, row in enumerate(rows):
            row["split"] = "test" if n % 6 == 0 else "train"

    with pytest.raises(DataError, match=r"official split: .*patient p\d+ is in (test and train|train and test)"):
        run(small, table(change), tmp_path / "out")


def test_the_same_image_in_two_splits_is_refused(small: Any, table: Callable[..., list[str]], tmp_path: Path) -> None:
    def change(rows: Rows, folder: Path) -> None:
        (folder / "20.png").write_bytes((folder / "00.png").read_bytes())
        rows[0]["split"] = rows[1]["split"] = "test"
        rows[20]["split"] = rows[21]["split"] = "train"

    with pytest.raises(DataError, match=r"is in test and train"):
        run(small, table(change), tmp_path / "out")


def test_a_missing_root_is_a_missing_requirement(small: Any, tmp_path: Path) -> None:
    preset = tmp_path / "table.yaml"
    preset.write_text("data: {use: table, config: {root: /nowhere/at/all, classes: [a, b]}}\n")
    with pytest.raises(DataError, match=r"/nowhere/at/all.*does not exist; next: .*data\.config\.root=FOLDER"):
        run(small, [str(preset)], tmp_path / "out")
