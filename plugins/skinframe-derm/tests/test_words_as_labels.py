"""Labels may be any word, metadata may be missing, and texts name what kind of image a set holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from skinframe_derm import Ham10000, PadUfes20, Slice3d, Table
from skinframe_derm.clinical_template import ClinicalTemplate

from skinframe import Sample


def table(folder: Path, rows: list[str], **options: object) -> Table:
    (folder / "manifest.csv").write_text("\n".join(["id,image,label,patient,sex", *rows]) + "\n")
    return Table(Table.Config(root=str(folder), **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [("None", "NA"), ("unknown", "nevus"), ("nan", "n/a"), ("null", "0")])
def test_a_word_for_missing_is_a_label_like_any_other(tmp_path: Path, words: tuple[str, str]) -> None:
    rows = [f"{i},{i}.png,{word},p{i},NA" for i, word in enumerate(words)]
    read = table(tmp_path, rows)
    assert read.classes == tuple(sorted(words))
    assert [read.classes[sample.label] for sample in read.samples()] == list(words)
    assert [sample.metadata["sex"] for sample in read.samples()] == [None, None]


def test_an_id_may_be_such_a_word_and_a_patient_may_not(tmp_path: Path) -> None:
    read = table(tmp_path, ["NA,a.png,x,p1,", "none,b.png,y,p2,"])
    assert {sample.id for sample in read.samples()} == {"NA", "none"}
    with pytest.raises(Exception, match="no patient"):
        table(tmp_path, ["1,a.png,x,NA,", "2,b.png,y,NA,"]).samples()


SAMPLE = Sample(id="a", image="a.png", label=0)


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        (PadUfes20(), "clinical photograph"),
        (Slice3d(), "clinical photograph"),
        (Ham10000(), "dermoscopic image"),
        (Table(), "dermoscopic image"),
        (Table(Table.Config(modality="clinical photograph")), "clinical photograph"),
    ],
)
def test_texts_name_the_set_s_kind_of_image(dataset: object, words: str) -> None:
    prompt = ClinicalTemplate().for_modality(dataset.modality)  # type: ignore[attr-defined]
    assert words in prompt.class_descriptions(["MEL"])[0]
    assert words in prompt.question(SAMPLE, ()).system


def test_an_option_of_the_prompt_wins_and_the_digest_tells_the_two_apart() -> None:
    own = ClinicalTemplate(ClinicalTemplate.Config(image="dermoscopic image"))
    assert own.for_modality("clinical photograph") is own
    plain = ClinicalTemplate()
    assert plain.digest() == own.digest() == plain.for_modality("dermoscopy").digest()
    assert plain.for_modality("clinical photograph").digest() != plain.digest()


def test_a_path_may_be_written_as_windows_does(tmp_path: Path) -> None:
    read = table(tmp_path, ["1,sub\\a.png,x,p1,", "2,b.png,y,p2,"])
    assert [sample.image for sample in read.samples()] == ["sub/a.png", "b.png"]
    with pytest.raises(Exception, match=r"\.\."):
        table(tmp_path, ["1,..\\a.png,x,p1,"]).samples()
