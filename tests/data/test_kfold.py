"""Folds, subsets, near-duplicate links, prevalence: nothing divides a component, and each class has its share."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe import DataError, Sample
from skinframe.data.group_split import PARTS, from_parts, make_split
from skinframe.data.groups import components
from skinframe.data.kfold import fold_split, make_folds, subset
from skinframe.data.prevalence import check_prevalence, prevalence
from skinframe.data.split_file import read_split, write_split

CLASSES = ("a", "b", "c")


def world(n: int = 900, seed: int = 0) -> list[Sample]:
    rng = np.random.default_rng(seed)
    lesions = rng.integers(0, n // 2, size=n)
    labels = rng.choice(3, p=[0.8, 0.15, 0.05], size=n)[lesions]
    return [
        Sample(id=f"s{i:04d}", image=f"s{i:04d}.jpg", label=int(labels[i]), lesion=f"l{lesions[i]}") for i in range(n)
    ]


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.integers(0, 50), st.integers(3, 10))
def test_every_sample_is_tested_once_and_no_component_is_divided(seed: int, folds: int) -> None:
    samples = world(seed=seed)
    of = make_folds(samples, folds=folds, seed=seed)
    assert set(of) == set(range(folds))
    for group in components(samples):
        assert len({of[index] for index in group}) == 1
    tested = [index for fold in range(folds) for index in fold_split(samples, folds=folds, fold=fold, seed=seed).test]
    assert sorted(tested) == list(range(len(samples)))
    whole = Counter(sample.label for sample in samples)
    for fold in range(folds):
        tally = Counter(samples[index].label for index in range(len(samples)) if of[index] == fold)
        assert all(abs(tally[label] - whole[label] / folds) <= 5 for label in range(3))


def test_folds_refuse_too_few_groups_and_a_fold_that_is_not_there() -> None:
    samples = [Sample(id=str(i), image="x", label=0, patient=f"p{i % 3}") for i in range(30)]
    with pytest.raises(DataError, match="fold 3 of 5 is empty: 3 groups are too few"):
        make_folds(samples, folds=5, seed=0)
    with pytest.raises(ValueError, match="got fold 5 of 5"):
        fold_split(samples, folds=5, fold=5, seed=0)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.integers(0, 50))
def test_subsets_are_nested_group_wise_stratified_and_leave_test_alone(seed: int) -> None:
    samples = world(seed=seed)
    split = make_split(samples, seed=seed)
    smaller: set[int] = set()
    for share in (0.03, 0.12, 0.25, 0.5, 1.0):
        part = subset(split, samples, share=share, seed=seed)
        assert (part.valid, part.test) == (split.valid, split.test)
        assert smaller <= set(part.train)
        smaller = set(part.train)
        assert sorted([*part.train, *part.unused]) == sorted(split.train)
        assert abs(len(part.train) / len(split.train) - share) < 0.03
        whole, kept = (Counter(samples[i].label for i in one) for one in (split.train, part.train))
        for label in range(3):
            assert kept[label] >= 1
            assert abs(kept[label] - share * whole[label]) <= 5
        for group in components(samples):
            assert len({index in smaller for index in group if index in set(split.train)}) <= 1
    assert subset(split, samples, share=1.0, seed=seed) is split


def test_near_duplicates_are_one_component_and_a_split_that_parts_them_is_refused(tmp_path: Path) -> None:
    samples = world()
    free = make_split(samples, seed=0)
    near = [(free.train[0], free.test[0]), (free.valid[3], free.test[5])]
    split = make_split(samples, seed=0, near=near)
    part_of = {index: name for name in PARTS for index in split.part(name)}
    assert all(part_of[first] == part_of[second] for first, second in near)
    write_split(tmp_path / "free.json", free, samples)
    with pytest.raises(DataError, match=r"are near-duplicates(.|\n)*audit\.accept=\[split:near-duplicate\]"):
        read_split(tmp_path / "free.json", samples, near=near)
    taken, known = read_split(tmp_path / "free.json", samples, near=near, accept=["split:near-duplicate"])
    assert taken.test == free.test
    assert known == sorted((min(pair), max(pair)) for pair in near)
    assert taken.accepted[0].startswith("split:near-duplicate: ")


def test_a_split_file_knows_its_near_duplicates_its_subset_and_how_it_was_made(tmp_path: Path) -> None:
    samples = world()
    near = [(0, 1), (5, 9)]
    split = subset(make_split(samples, seed=0, near=near), samples, share=0.12, seed=0, near=near)
    path = tmp_path / "split.json"
    write_split(path, split, samples, near=near, made={"seed": 0, "share": 0.12, "level": "lesion"})
    assert read_split(path, samples) == (split, near)
    assert read_split(path, samples, near=[(9, 5), (2, 3)]) == (split, [(0, 1), (2, 3), (5, 9)])
    content = json.loads(path.read_text())
    assert content["near"] == [["s0000", "s0001"], ["s0005", "s0009"]]
    assert content["made"] == {"level": "lesion", "seed": 0, "share": 0.12}
    content["near"].append(["s0000", "nobody"])
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="not a split file"):
        read_split(path, samples)


def test_a_leaky_official_split_can_be_accepted_by_name_and_says_so() -> None:
    samples = [
        Sample(id=str(i), image="x", label=0, lesion="l7" if i in (3, 8) else f"q{i}", split=PARTS[i % 3])
        for i in range(12)
    ]
    with pytest.raises(DataError, match=r"official split: lesion l7 .*audit\.accept=\[split:lesion\]"):
        make_split(samples, seed=0)
    split = make_split(samples, seed=0, accept=["split:lesion"])
    assert split.train == (0, 3, 6, 9)
    assert split.accepted == ("split:lesion: lesion l7 is in train and test (sample 8)",)
    assert make_split(samples, seed=0, official=False).accepted == ()


def test_a_class_that_a_part_lacks_or_that_drifts_is_refused_or_waived() -> None:
    samples = [Sample(id=f"{i:03d}", image="x", label=int(i == 7)) for i in range(100)]
    split = make_split(samples, seed=0)
    with pytest.raises(DataError, match=r"no image of b in (.|\n)*split\.waive=\[b\]"):
        check_prevalence(split, samples, ("a", "b"))
    check_prevalence(split, samples, ("a", "b"), waive=["b"])
    skewed = [Sample(id=f"{i:03d}", image="x", label=int(i % 4 == 0)) for i in range(100)]
    parts = ["test" if sample.label or i % 9 == 0 else PARTS[i % 2] for i, sample in enumerate(skewed)]
    parts[0], parts[4] = "train", "valid"
    with pytest.raises(DataError, match=r"the limit is 5\.0%"):
        check_prevalence(from_parts(skewed, parts), skewed, ("a", "b"))
    rows = prevalence(make_split(skewed, seed=0), skewed, ("a", "b"))
    assert sum(row.images for row in rows) == 100
    assert max(abs(row.drift) for row in rows) < 0.03
