"""What is planted is there, and only there."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from skinframe_tiny import likelihoods
from skinframe_tiny.planted_faults import PlantedDermoscopy


def planted(**options) -> PlantedDermoscopy:
    return PlantedDermoscopy(PlantedDermoscopy.Config(images=80, seed=3, **options))


def pixels(dataset: PlantedDermoscopy, sample) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(dataset.image_bytes(sample))).convert("RGB"), dtype=np.int16)


def test_without_a_fault_it_is_the_synthetic_set_with_a_split_by_patient():
    parts: dict[str, set[str]] = {}
    for sample in planted().samples():
        parts.setdefault(sample.group, set()).add(sample.split)
    assert {len(found) for found in parts.values()} == {1}
    assert set.union(*parts.values()) == {"train", "valid", "test"}


def test_a_leak_makes_the_site_a_function_of_the_class():
    for sample in planted(leak=True).samples():
        assert sample.metadata["site"] == likelihoods.SITES[sample.label % len(likelihoods.SITES)]


def test_copies_show_test_photographs_on_their_side_under_other_patients_of_training():
    dataset = planted(copies=3)
    samples = dataset.samples()
    copies = [sample for sample in samples if sample.id.startswith("copy-")]
    tests = [sample for sample in samples if sample.split == "test"]
    assert [sample.split for sample in copies] == ["train"] * 3
    for copy, origin in zip(copies, tests, strict=False):
        assert copy.group != origin.group
        assert copy.label == origin.label
        assert np.abs(np.rot90(pixels(dataset, origin)) - pixels(dataset, copy)).mean() < 6


def test_telling_marks_stand_beside_melanomas_alone_and_test_photographs_stand_twice():
    dataset = planted(marks="telling")
    plain = {sample.id: sample for sample in planted().samples()}
    for sample in dataset.samples():
        if sample.split == "test":
            continue
        same = bool((pixels(dataset, sample) == pixels(planted(), plain[sample.id])).all())
        assert same == (likelihoods.CLASSES[sample.label] != "MEL")
    names = Counter(s.id.rpartition("-")[2] for s in dataset.samples() if s.split == "test")
    assert names["plain"] == names["marked"] > 0


def test_random_marks_are_about_as_many_and_do_not_follow_the_class():
    dataset = PlantedDermoscopy(PlantedDermoscopy.Config(images=2000, seed=3, marks="random"))
    marked = [s.label for s, _, inked in dataset._rows.values() if inked and s.split != "test"]
    melanoma = likelihoods.CLASSES.index("MEL")
    assert 120 < len(marked) < 300
    assert np.mean([label == melanoma for label in marked]) < 0.25


@pytest.mark.parametrize(("option", "value"), [("images", 0), ("copies", -1), ("marks", "some")])
def test_options_out_of_range_are_refused(option, value):
    with pytest.raises(ValueError, match=option):
        PlantedDermoscopy.Config(**{option: value})
