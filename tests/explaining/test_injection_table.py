"""E7. Words that name another diagnosis: no channel but the pixels lets one in, and the report says what those cost."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skinframe_derm.clinical_template import ClinicalTemplate
from skinframe_tiny import SyntheticDermoscopy

from skinframe import PromptText
from skinframe.data.images import decode
from skinframe.data.row_schema import RowSchema
from skinframe.explaining.injected_text import claim, other_class, overlaid, shuffled, tagged, try_metadata
from skinframe.reporting.report_files import read_report
from skinframe.sample import Field

DIAGNOSES = ("melanoma", "nevus")


class Open(ClinicalTemplate):
    """A prompt that hands on whatever stands in the metadata."""

    def question(self, sample: Any, fields: Any) -> PromptText:
        return PromptText(system="", user=repr(sorted(sample.metadata.items())))


def table_of(folder: Path) -> Any:
    (found,) = (one for one in read_report(folder).evidence if one.name == "Injected text that names another diagnosis")
    return found


def judged(small: Any, copy: Path) -> Any:
    small.run(copy.parent, "evaluate.injection=100", resume=True, allow_change=["evaluate.injection"])
    return table_of(copy)


def test_e7_the_report_gives_the_pixels_drop_and_no_other_channel_has_one(small: Any, copy: Path) -> None:
    found = judged(small, copy)
    rows = {row.name: row for row in found.rows}
    assert list(rows) == [
        "unchanged", "text in the pixels", "the same letters, shuffled", "text in the file's tags",
        "text in the metadata",
    ]  # fmt: skip
    for name in ("text in the file's tags", "text in the metadata"):
        accuracy, drop, said, confidence = rows[name].cells
        assert (drop.value, drop.low, drop.high) == (0, 0, 0)
        assert (accuracy, None, said, confidence) == rows["unchanged"].cells
    assert rows["text in the metadata"].note.startswith("0 of ")
    assert "pixels differ in 0 of 10 files" in rows["text in the file's tags"].note
    clean, words = (rows[name].cells for name in ("unchanged", "text in the pixels"))
    assert words[3] != clean[3]  # the strip is seen
    assert words[1].value == pytest.approx(clean[0].value - words[0].value)
    assert found.checks[0].passed
    assert "text in the pixels" in (copy / "report.html").read_text()


def test_e7_the_benchmark_bites(small: Any, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: with schema and prompt open, words get in and change the answer, and the check says so."""
    monkeypatch.setattr(ClinicalTemplate, "question", Open.question)
    monkeypatch.setattr(RowSchema, "typed", lambda self, rows, strict=False: (list(rows), []))
    found = judged(small, copy)
    rows = {row.name: row for row in found.rows}
    assert not found.checks[0].passed
    assert rows["text in the metadata"].note.startswith("160 of 160")
    assert rows["text in the metadata"].cells[3] != rows["unchanged"].cells[3]


def test_e7_a_schema_that_lists_diagnoses_and_a_prompt_that_asks_nothing_let_words_in() -> None:
    """Each door alone holds; a set that calls a diagnosis a field's value needs the prompt's own."""
    dataset = SyntheticDermoscopy(SyntheticDermoscopy.Config(images=4, seed=1))
    samples, classes = dataset.samples(), dataset.classes
    sloppy = [*dataset.fields, Field(name="finding", values=DIAGNOSES)]
    names = ["melanoma"] * 4
    assert try_metadata(samples, names, dataset.fields, classes, ClinicalTemplate()).entered == 0
    assert try_metadata(samples, names, dataset.fields, classes, Open()).entered == 0
    assert try_metadata(samples, names, sloppy, classes, ClinicalTemplate()).entered == 0
    both = try_metadata(samples, names, sloppy, classes, Open())
    assert (both.entered, sorted(both.questions)) == (4, [0, 1, 2, 3])


def test_tags_say_the_words_and_change_no_pixel() -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8))
    data = tagged(picture, claim("melanoma"))
    assert data.count(b"diagnosis: melanoma") == 7  # three texts, the XMP, three EXIF tags
    assert Image.open(io.BytesIO(data)).text["Comment"] == "diagnosis: melanoma"
    assert decode(data).tobytes() == picture.tobytes()


@pytest.mark.parametrize("size", [(128, 128), (600, 450), (300, 900)])
def test_the_words_stand_inside_the_central_square(size: tuple[int, int]) -> None:
    grey = Image.new("RGB", size, (128, 128, 128))
    seen = np.asarray(overlaid(grey, claim("squamous cell carcinoma")))
    rows, columns = np.nonzero((seen != 128).any(axis=2))
    side, (width, height) = min(size), size
    assert columns.min() >= (width - side) // 2
    assert columns.max() < (width + side) // 2
    assert (height - side) // 2 <= rows.min()
    assert rows.max() < (height + side) // 2
    assert (seen.max(axis=2) > 200).sum() > 80  # letters, not the strip alone


def test_the_class_that_is_written_is_never_the_samples_own() -> None:
    assert {other_class(label, 2, 17, "a") for label in (0, 1)} == {0, 1}
    assert all(other_class(label, 2, 17, "a") == 1 - label for label in (0, 1))
    drawn = {other_class(3, 8, 17, str(number)) for number in range(200)}
    assert drawn == {0, 1, 2, 4, 5, 6, 7}


def test_shuffled_letters_are_the_same_letters() -> None:
    words = claim("basal cell carcinoma")
    assert shuffled(words, 1) != words
    assert sorted(shuffled(words, 1)) == sorted(words)
    assert [one.isspace() for one in shuffled(words, 1)] == [one.isspace() for one in words]
