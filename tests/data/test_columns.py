"""Typed metadata as numbers: what is missing is said, and what another set says that these fields do not know."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from skinframe.data.columns import ClassCounts, metadata_matrix
from skinframe.sample import Field, Sample, Value

FIELDS = (Field(name="sex", values=("female", "male")), Field(name="age", low=0, high=100))


def of(**metadata: Value) -> Sample:
    return Sample(id="a", image="a", label=0, metadata=metadata)


def test_metadata_is_typed_and_says_what_is_missing() -> None:
    matrix, names = metadata_matrix([of(sex="male", age=25.0), of(sex=None)], FIELDS)
    assert names == ("sex: not recorded", "sex: female", "sex: male", "age: not recorded", "age")
    np.testing.assert_allclose(matrix, [[0, 0, 1, 0, 0.25], [1, 0, 0, 1, 0]])
    assert metadata_matrix([of(), of()], ())[0].shape == (2, 0)


def test_what_a_field_does_not_know_is_not_recorded() -> None:
    """Of another set, judged later: a word, a number out of range, a band where a number stood, a field of its own."""
    others = [of(sex="intersex", age=125.0), of(age="30-39", site="back"), of(sex=1.0)]
    np.testing.assert_allclose(metadata_matrix(others, FIELDS)[0], [[1, 0, 0, 1, 0]] * 3)


@pytest.mark.parametrize("poison", [0, 1, 2])
def test_class_counts_are_of_training_samples_whatever_the_others_are(poison: int) -> None:
    """They weigh the loss, so a label of the test part must not be in them."""
    labels = [0, 0, 1, 2, 2, 2, *[poison] * 5]
    samples = [Sample(id=str(row), image=str(row), label=label) for row, label in enumerate(labels)]
    split = SimpleNamespace(train=(0, 1, 2, 3), valid=(4, 5), test=(6, 7, 8, 9, 10))
    context: Any = SimpleNamespace(samples=samples, split=split, classes=("a", "b", "c"))
    assert ClassCounts().bind(context)([0], [0], 0).tolist() == [2, 1, 1]
