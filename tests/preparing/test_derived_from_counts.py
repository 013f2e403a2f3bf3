"""What the terms derive from the training counts is shown, or refused, before anything is trained."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from skinframe_cfa.classification.focal import Focal
from skinframe_cfa.classification.ldam import LDAM

from skinframe.errors import DataError
from skinframe.preparing.derived_from_counts import derived_lines, derived_numbers
from skinframe.reporting.report_values import Derived


def prepared(counts: dict[str, int]) -> Any:
    """Only what the function reads: the terms that take part and the split's counts."""
    losses = {"main": Focal(Focal.Config(class_weights="inverse")), "margin": LDAM(), "off": Focal()}
    parts = SimpleNamespace(losses=losses, dataset=SimpleNamespace(classes=tuple(counts)))
    plan = SimpleNamespace(parts=parts, graph=SimpleNamespace(terms={"main": {}, "margin": {}}))
    split = SimpleNamespace(counts=lambda samples, classes: {"train": counts, "test": {}})
    return SimpleNamespace(plan=plan, split=split, samples=[])


def test_every_term_that_takes_part_shows_its_numbers() -> None:
    found = derived_numbers(prepared({"NV": 48, "MEL": 3}))
    assert [(row.term, row.name) for row in found] == [("main", "class weight"), ("margin", "margin")]
    assert found[0].values == pytest.approx({"NV": 51 / 96, "MEL": 8.5})
    assert found[1].values == pytest.approx({"NV": 0.25, "MEL": 0.5})
    assert derived_lines(found) == [
        "losses.main: class weight NV 0.5312, MEL 8.5",
        "losses.margin: margin NV 0.25, MEL 0.5",
    ]


def test_an_empty_class_is_refused_under_the_terms_name() -> None:
    with pytest.raises(DataError, match=r"losses\.main: class_weights: no training sample of class 1"):
        derived_numbers(prepared({"NV": 48, "MEL": 0}))


def test_nothing_derived_is_no_line() -> None:
    assert derived_lines([]) == []
    assert derived_lines([Derived(term="a", name="b", values={"x": 1.0})]) == ["losses.a: b x 1"]
