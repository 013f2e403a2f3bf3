import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe import DataError, Sample
from skinframe.data.group_split import PARTS, check_split, from_parts, make_split
from skinframe.data.groups import components
from skinframe.data.split_file import read_split, write_split


def one(index: int, label: int = 0, **changes: object) -> Sample:
    return Sample(id=f"s{index:05d}", image=f"s{index:05d}.jpg", label=label, **changes)  # type: ignore[arg-type]


def long_tail(n: int = 1500, seed: int = 0) -> list[Sample]:
    """Patients with several lesions, lesions with several images, classes down to 1 %."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(5, p=[0.6, 0.2, 0.14, 0.05, 0.01], size=n)
    lesions = rng.integers(0, n // 2, size=n)
    labels = labels[lesions]  # a lesion has one label
    return [one(i, int(labels[i]), patient=f"p{lesions[i] // 3}", lesion=f"l{lesions[i]}") for i in range(n)]


@st.composite
def worlds(draw: st.DrawFn) -> list[Sample]:
    rows = draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 30)), min_size=40, max_size=90)
    )
    return [
        one(i, label, patient=f"p{p}" if p < 25 else None, lesion=f"l{lesion}" if lesion < 25 else None)
        for i, (label, p, lesion) in enumerate(rows)
    ]


def test_components_join_over_patient_lesion_and_image() -> None:
    samples = [one(0, patient="a", lesion="x"), one(1, lesion="x"), one(2, patient="a"), one(3), one(4), one(5)]
    assert components(samples) == [[0, 1, 2], [3], [4], [5]]
    assert components(samples, ["k", None, None, "k", "m", None]) == [[0, 1, 2, 3], [4], [5]]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(worlds(), st.integers(0, 5))
def test_no_component_is_ever_divided(samples: list[Sample], seed: int) -> None:
    try:
        split = make_split(samples, seed=seed)
    except DataError as error:
        assert "too few" in str(error)  # noqa: PT017 - one chain of links may join nearly everything
        return
    part_of = {index: name for name in PARTS for index in split.part(name)}
    assert sorted(part_of) == list(range(len(samples)))
    for group in components(samples):
        assert len({part_of[index] for index in group}) == 1


def test_fractions_and_prevalence_hold_and_rare_classes_reach_every_part() -> None:
    samples = long_tail()
    split = make_split(samples, seed=3)
    table = split.counts(samples, "abcde")
    whole = Counter(sample.label for sample in samples)
    for name, fraction in zip(PARTS, (0.7, 0.15, 0.15), strict=True):
        assert abs(len(split.part(name)) / len(samples) - fraction) < 0.02
        for label, letter in enumerate("abcde"):
            assert table[name][letter] >= 1
            assert abs(table[name][letter] - fraction * whole[label]) <= max(3, 0.1 * fraction * whole[label])


def test_three_lesions_of_a_class_reach_three_parts() -> None:
    samples = [one(i, 0, lesion=f"n{i}") for i in range(97)] + [one(100 + i, 1, lesion=f"r{i}") for i in range(3)]
    for seed in range(10):
        table = make_split(samples, seed=seed).counts(samples, ["common", "rare"])
        assert [table[name]["rare"] for name in PARTS] == [1, 1, 1]


def test_order_of_samples_does_not_matter_but_the_seed_does() -> None:
    samples = long_tail(400)
    split = make_split(samples, seed=1)
    turned = make_split(samples[::-1], seed=1)
    assert turned.digest == split.digest
    assert {samples[i].id for i in split.test} == {samples[::-1][i].id for i in turned.test}
    assert make_split(samples, seed=2).digest != split.digest


def test_digest_is_frozen_across_platforms_and_versions() -> None:
    samples = [one(i, i % 3, patient=f"p{i // 4}") for i in range(120)]
    assert make_split(samples, seed=17).digest[:16] == "47743b03a55f09e3"


def test_identical_images_stay_together() -> None:
    samples = [one(i, i % 2) for i in range(60)]
    keys = [f"{i // 2:064d}" for i in range(60)]
    split = make_split(samples, seed=0, keys=keys)
    check_split(split, samples, keys)
    with pytest.raises(DataError, match=r"image content 0+[0-9]+ is in train and"):
        check_split(make_split(samples, seed=0), samples, keys)


def test_official_split_is_kept_and_a_missing_part_comes_from_train() -> None:
    samples = [one(i, i % 2, lesion=f"l{i // 2}", split="test" if i >= 80 else "train") for i in range(100)]
    split = make_split(samples, seed=5)
    assert set(split.test) == set(range(80, 100))
    assert 10 <= len(split.valid) <= 20
    check_split(split, samples)
    complete = [one(i, 0, split=PARTS[i % 3]) for i in range(9)]
    assert make_split(complete, seed=5).valid == (1, 4, 7)


def test_leaky_or_unknown_official_split_is_refused_by_name() -> None:
    samples = [
        one(i, 0, patient="p7" if i in (3, 8) else f"q{i}", split="train" if i < 5 else "test") for i in range(9)
    ]
    with pytest.raises(DataError, match=r"official split: patient p7 is in train and test"):
        make_split(samples, seed=0)
    with pytest.raises(DataError, match="official split 'dev' is not one of train, valid, test"):
        make_split([one(i, split="dev") for i in range(9)], seed=0)


def test_too_few_groups_say_which_part_is_empty() -> None:
    with pytest.raises(DataError, match="is empty: 1 groups are too few"):
        make_split([one(i, patient="all") for i in range(50)], seed=0)


@pytest.mark.parametrize("link", [{"patient": "p1"}, {"lesion": "HAM_1"}])
def test_check_names_what_crosses(link: dict[str, str]) -> None:
    samples = [one(0, **link), one(1), one(2, **link), one(3)]
    name, value = next(iter(link.items()))
    with pytest.raises(DataError, match=rf"{name} {value} is in train and test \(sample s00002\)"):
        check_split(from_parts(samples, ["train", "valid", "test", "train"]), samples)


def test_check_names_a_sample_in_no_part() -> None:
    samples = [one(i) for i in range(4)]
    with pytest.raises(DataError, match="not in exactly one part: s00003"):
        check_split(from_parts(samples, ["train", "valid", "test", ""]), samples)


def test_file_round_trip_and_frozen(tmp_path: Path) -> None:
    samples = long_tail(200)
    split, path = make_split(samples, seed=0), tmp_path / "split.json"
    write_split(path, split, samples)
    before = path.read_bytes()
    write_split(path, split, samples[::-1])
    assert path.read_bytes() == before
    assert read_split(path, samples) == (split, [])
    with pytest.raises(DataError, match="already holds another split"):
        write_split(path, make_split(samples, seed=1), samples)
    assert [entry.name for entry in tmp_path.iterdir()] == ["split.json"]


def test_file_refuses_other_samples_edits_and_changed_groups(tmp_path: Path) -> None:
    samples = long_tail(200)
    path = tmp_path / "split.json"
    write_split(path, make_split(samples, seed=0), samples)
    with pytest.raises(DataError, match="1 samples are not in it and 0 of its ids"):
        read_split(path, [*samples, one(99999)])
    with pytest.raises(DataError, match="0 samples are not in it and 1 of its ids"):
        read_split(path, samples[1:])
    relabelled = [one(0, 4, patient=samples[0].patient, lesion=samples[0].lesion), *samples[1:]]
    with pytest.raises(DataError, match="labels or groups have changed"):
        read_split(path, relabelled)
    content = json.loads(path.read_text())
    content["parts"]["test"].append(content["parts"]["train"].pop())
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="does not match its digest"):
        read_split(path, samples)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "skinframe-split-1", "parts": {"train": 3}}', "[" * 99999])
def test_file_that_is_no_split(tmp_path: Path, text: str) -> None:
    path = tmp_path / "split.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"split\.json: not a"):
        read_split(path, [one(0)])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_classes_with_two_groups_reach_every_part(seed: int) -> None:
    samples = [Sample(id=f"{c}-{i}", image="x", label=c, patient=f"{c}-{i}") for c in range(60) for i in range(2)]
    split = make_split(samples, seed=seed)
    assert len(split.train) == 60
    assert abs(len(split.valid) - len(split.test)) <= 1
