"""Which diagnosis a written rationale names: whole words, the longest, and abbreviations only in capitals."""

from __future__ import annotations

import pytest
from skinframe_derm import ClinicalTemplate

from skinframe.evaluation.rationale_agreement import agreeing, named_diagnoses

PAD = ("BCC", "ACK", "NEV", "SEK", "SCC", "MEL")
WORDS = ClinicalTemplate().diagnosis_words(PAD)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Findings: atypical network. Assessment: melanoma.", ("MEL",)),
        ("Findings: vascular lesion.", ("vascular lesion",)),  # no class of PAD-UFES-20, and a diagnosis all the same
        ("Assessment: seborrheic keratosis.", ("SEK",)),
        ("Assessment: benign keratosis.", ("benign keratosis",)),
        ("ACK or SCC", ("ACK", "SCC")),
        ("Actinic keratoses? No: actinic keratosis.", ("ACK",)),
        ("two melanomas", ("MEL",)),
        ("Findings: scale, and as a mel of sounds.", ()),  # 'mel' in small letters is no diagnosis
        ("a melanocytic nevus, not a nevus-like spot", ("NEV",)),
        ("", ()),
    ],
)
def test_diagnoses_are_read(text: str, named: tuple[str, ...]) -> None:
    assert named_diagnoses(text, WORDS) == named


def test_only_the_answer_alone_agrees() -> None:
    named = [("MEL",), ("MEL", "NEV"), (), ("vascular lesion",)]
    assert agreeing(named, ["MEL"] * 4) == [True, False, False, False]


def test_classes_of_ones_own_are_read_in_any_case() -> None:
    words = {"cyst": "cyst", "wart": "wart"}
    assert named_diagnoses("Assessment: cyst.", words) == ("cyst",)
    assert named_diagnoses("warts and WART", words) == ("wart",)
    assert named_diagnoses("nothing", {}) == ()
