"""Sets count the lesions of each patient from 1: the same number of two patients is two lesions."""

from __future__ import annotations

from skinframe.data.groups import components, split_leaks
from skinframe.sample import Sample


def sample(name: str, patient: str | None, lesion: str | None) -> Sample:
    return Sample(id=name, image=f"{name}.png", label=0, patient=patient, lesion=lesion)


def test_strangers_with_the_same_lesion_number_stay_apart() -> None:
    rows = [sample("a", "p", "1"), sample("b", "q", "1"), sample("c", "p", "2"), sample("d", "p", "1")]
    assert components(rows) == [[0, 2, 3], [1]]
    assert [row.lesion_key for row in rows] == ["1 of patient p", "1 of patient q", "2 of patient p", "1 of patient p"]


def test_no_leak_is_seen_between_strangers_and_one_within_a_patient_is() -> None:
    strangers = [sample("a", "p", "1"), sample("b", "q", "1")]
    assert split_leaks({0: "train", 1: "test"}, strangers) == {}
    own = [sample("a", "p", "1"), sample("b", "p", "1")]
    assert set(split_leaks({0: "train", 1: "test"}, own)) == {"patient", "lesion"}


def test_a_row_without_a_patient_may_be_anybody_s() -> None:
    rows = [sample("a", "p", "1"), sample("b", None, "1"), sample("c", "q", "1"), sample("d", "q", "2")]
    assert components(rows) == [[0, 1, 2, 3]]
    assert components([sample("a", None, "1"), sample("b", None, "1")]) == [[0, 1]]
