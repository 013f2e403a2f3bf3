"""A planted leak of each kind is caught by name; the clean set raises nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import skinframe
from skinframe.curating.audit_result import Audit

Row = dict[str, str]
Plant = Callable[[list[Row], np.random.Generator], None]
LABELS = ("bkl", "mel", "nv")


def picture(seed: int) -> bytes:
    """Return a small PNG of noise in three scales, another one for each seed."""
    random = np.random.default_rng(seed)
    canvas = np.full((48, 64), 150.0)
    for cells in (3, 9, 27):
        noise = Image.fromarray(random.normal(size=(cells, cells)).astype(np.float32))
        canvas += np.asarray(noise.resize((64, 48), Image.Resampling.BICUBIC)) * 25
    buffer = io.BytesIO()
    Image.fromarray(np.clip(canvas, 30, 255).astype(np.uint8)).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 images of 160 patients, with metadata that says nothing of the label."""
    root = tmp_path_factory.mktemp("clean")
    for number in range(240):
        (root / f"{number:04d}.png").write_bytes(picture(number))
    return root


def rows() -> list[Row]:
    random = np.random.default_rng(1)
    found = []
    for number in range(240):
        label = LABELS[(number // 3 * 2 + number % 3 // 2) * 7 % 3]
        age, sex = str(int(random.integers(20, 85))), str(random.choice(["female", "male", ""]))
        site = str(random.choice(["anterior torso", "lower extremity", "head/neck"]))
        found.append({"id": f"x{number:04d}", "image": f"{number:04d}.png", "label": label, "age": age, "sex": sex})
        found[-1] |= {"site": site, "patient": f"p{number // 3 * 2 + number % 3 // 2}", "lesion": "", "split": ""}
    return found


def audited(folder: Path, out: Path, *plants: Plant, images: bool = False, **more: Any) -> Audit:
    """Write the manifest with its planted leaks and audit it."""
    table = rows()
    for plant in plants:
        plant(table, np.random.default_rng(2))
    name = f"{out.name}.csv"
    with (folder / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    sets = [f"data.config.root={folder}", f"data.config.manifest={name}"]
    options = {"overrides": sets, "out": out, "images": images, "quiet": True, "workers": 1, **more}
    return skinframe.audit_data("table", **options)


def leaks(audit: Audit) -> list[str]:
    return [finding.name for finding in audit.standing]


def test_the_clean_set_raises_nothing_and_its_files_say_so(folder: Path, tmp_path: Path) -> None:
    audit = audited(folder, tmp_path / "clean", images=True)
    assert audit.findings == ()
    assert audit.images == 240
    assert len(audit.probes) >= 8
    assert all(probe.auroc is None or probe.auroc < 0.7 for probe in audit.probes), audit.probes
    plain = json.loads((tmp_path / "clean" / "audit.json").read_text())
    assert plain["findings"] == []
    page = (tmp_path / "clean" / "audit.html").read_text()
    assert "Nothing was found" in page
    assert "<script" not in page
    assert "default-src 'none'" in page


def column(table: list[Row], random: np.random.Generator) -> None:
    for row in table:  # a device that only one clinic of melanomas has
        row["site"] = "palms/soles" if row["label"] == "mel" and random.random() < 0.95 else row["site"]


def missingness(table: list[Row], random: np.random.Generator) -> None:
    for row in table:
        row["sex"] = "" if row["label"] == "mel" else "female"


def file_name(table: list[Row], random: np.random.Generator) -> None:
    for row in table:
        row["id"] = f"{row['label']}_{row['id']}"


def numbering(table: list[Row], random: np.random.Generator) -> None:
    for number, row in enumerate(table):
        row["id"] = f"ISIC_{LABELS.index(row['label']) * 1000 + number:07d}"


def lesion_over_parts(table: list[Row], random: np.random.Generator) -> None:
    for number, row in enumerate(table):
        row["split"] = ("train", "valid", "test")[number % 3]


@pytest.mark.parametrize(
    ("plant", "name"),
    [
        (column, "field:site"),
        (missingness, "missing"),
        (file_name, "file-name:words"),
        (numbering, "file-name:number"),
        (lesion_over_parts, "split:patient"),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_a_planted_leak_is_caught_by_name_and_can_be_accepted(
    folder: Path, tmp_path: Path, plant: Plant, name: str
) -> None:
    audit = audited(folder, tmp_path / "leak", plant)
    assert name in leaks(audit)
    again = audited(folder, tmp_path / "taken", plant, accept=leaks(audit))
    assert leaks(again) == []
    assert {finding.name for finding in again.findings if finding.accepted} == set(leaks(audit))


def test_a_copy_over_two_parts_is_caught(folder: Path, tmp_path: Path) -> None:
    def plant(table: list[Row], random: np.random.Generator) -> None:
        for number, row in enumerate(table):
            row["split"] = ("train", "valid", "test")[number // 3 % 3]
        image = Image.open(folder / "0000.png").transpose(Image.Transpose.ROTATE_90)
        image.save(folder / "copied.jpg", quality=70)
        (folder / "same.png").write_bytes((folder / "0009.png").read_bytes())
        table[5]["image"], table[13]["image"] = "copied.jpg", "same.png"

    audit = audited(folder, tmp_path / "copies", plant, images=True)
    found = {finding.name: finding for finding in audit.findings}
    assert {"near-duplicate", "identical-image", "split:near-duplicate", "split:image"} <= set(found)
    copies = {frozenset((pair.first, pair.second)) for pair in audit.pairs if pair.verdict == "copy"}
    assert copies == {frozenset(("x0000", "x0005"))}
    page = (tmp_path / "copies" / "audit.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2 * len(audit.pairs)


PROMPT = '''
import skinframe
from skinframe_derm import ClinicalTemplate


class Telling(ClinicalTemplate):
    """Says a word that only melanomas are asked with."""

    name = "telling"

    def question(self, sample, fields):
        asked = super().question(sample, fields)
        word = {word!r} if sample.label == 1 else "skin"
        return skinframe.PromptText(system=asked.system, user=asked.user + " " + word)


@skinframe.hookimpl
def register_prompts():
    return [Telling]
'''


@pytest.mark.parametrize(("word", "name"), [("urgent", "text"), ("histopathology", "lexicon")])
def test_a_word_that_tells_is_caught(folder: Path, tmp_path: Path, root: Path, word: str, name: str) -> None:
    (tmp_path / "telling.py").write_text(PROMPT.replace("{word!r}", repr(word)))
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows()[0]))
        writer.writeheader()
        writer.writerows(rows())
    sets = ["data.use=table", f"data.config.root={folder}", "prompt.use=telling"]
    options: dict[str, Any] = {"plugins": [tmp_path / "telling.py"], "images": False, "quiet": True}
    audit = skinframe.audit_data(root / "recipes" / "cfa_full.yaml", overrides=sets, out=tmp_path / "told", **options)
    assert name in leaks(audit), audit.findings


def ids(numbers: Sequence[int], suffix: str = "") -> Plant:
    def plant(table: list[Row], random: np.random.Generator) -> None:
        for number, row in enumerate(table):
            row["id"] = f"ISIC_{numbers[number]:07d}{suffix if number % 2 else ''}"
            row["patient"] = f"{suffix}q{numbers[number]}"

    return plant


def test_the_embedded_default_raises_no_leak_and_is_judged_on_its_own_split(root: Path, tmp_path: Path) -> None:
    """Its age tells a nevus with AUROC 0.91, by the law that draws it: an age does, so that is to know and no leak."""
    recipe, options = root / "recipes" / "cfa_full.yaml", {"images": False, "quiet": True}
    audit = skinframe.audit_data(recipe, out=tmp_path / "default", **options)
    assert audit.standing == ()
    assert "field:age" in {finding.name for finding in audit.findings if finding.level == "watch"}
    split = skinframe.split_data(recipe, tmp_path / "split.json", **options)
    assert f"the split is {split.digest[:12]}, made with seed 17, as a run would" in audit.searched
    assert [part.images for part in audit.parts] == [3000, *(len(split.part(n)) for n in ("train", "valid", "test"))]


def test_a_set_that_cannot_be_split_is_said(folder: Path, tmp_path: Path) -> None:
    def lone(table: list[Row], random: np.random.Generator) -> None:
        table[0]["label"] = "vasc"

    (finding,) = audited(folder, tmp_path / "lone", lone).findings
    assert (finding.name, finding.level) == ("split", "watch")
    assert "no split could be made, and a run would refuse the same" in finding.sentence


def test_what_two_sets_share_is_named(folder: Path, tmp_path: Path) -> None:
    audited(folder, tmp_path / "other", ids(range(200, 440), "_downsampled"))
    other = f"table,root={folder},manifest=other.csv"
    audit = audited(folder, tmp_path / "here", ids(range(240)), against=[other])
    found = {finding.name: finding.sentence for finding in audit.standing}
    assert found["across:table:id"].startswith("20 images have the same id")
    assert found["across:table:id-but-suffix"].startswith("20 more have the same id but for a suffix")
    assert [tier.name for tier in audit.tiers] == ["unplaced"]


def test_a_probe_tells_one_set_from_another_that_was_taken_otherwise(folder: Path, tmp_path: Path) -> None:
    """The other set's patients are older and their images brighter; two halves of one set are not told apart."""

    def older(table: list[Row], random: np.random.Generator) -> None:
        for number, row in enumerate(table):
            row |= {"id": f"o{number}", "patient": f"o{row['patient']}", "age": str(70 + number % 20)}

    def half(table: list[Row], random: np.random.Generator) -> None:
        for number, row in enumerate(table):
            row |= {"id": f"h{number}", "patient": f"h{row['patient']}", "age": str(int(random.integers(20, 85)))}

    for plant in (older, half):
        audited(folder, tmp_path / plant.__name__, plant)
    against = [f"table,root={folder},manifest={name}.csv" for name in ("older", "half")]
    audit = audited(folder, tmp_path / "told", against=against)
    rows = [row for row in audit.apart if row.view == "fields"]
    aurocs = [row.auroc or 0 for row in rows]
    assert aurocs[0] > 0.8
    assert aurocs[1] < 0.65
    assert rows[0].energy_p == 1 / 200
    assert (rows[1].energy_p or 0) > 0.01
    (told,) = [finding for finding in audit.findings if finding.name.endswith(":identity")]
    assert (told.name, told.level) == ("across:table:identity", "watch")
    assert "Can the sets be told apart" in (tmp_path / "told" / "audit.html").read_text()


def test_the_command_exits_3_while_a_leak_stands(folder: Path, tmp_path: Path, cli: Any) -> None:
    audited(folder, tmp_path / "leaky", column)
    words = ["data", "audit", "table", "--set", f"data.config.root={folder}"]
    words += ["--set", "data.config.manifest=leaky.csv", "--no-images", "--out", str(tmp_path / "out")]
    refused = cli(words)
    assert refused.returncode == 3, refused.stderr
    assert "field:site" in refused.stderr
    assert "--accept NAME" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "LEAK: field:site" in refused.stdout
