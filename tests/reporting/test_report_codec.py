from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from skinframe.errors import DataError
from skinframe.reporting.json_codec import dumps, loads
from skinframe.reporting.report_schema import Report
from skinframe.reporting.report_values import Estimate, Series


def test_round_trip(report: Report, seven: Report, least: Report) -> None:
    for one in (report, seven, least):
        assert loads(Report, dumps(one)) == one


def test_an_undefined_number_becomes_null_and_json_stays_strict() -> None:
    text = dumps(Estimate(value=float("nan"), low=float("-inf"), high=0.5))
    assert json.loads(text)["value"] is None
    assert loads(Estimate, text) == Estimate(value=None, low=None, high=0.5)
    assert "NaN" not in text


def test_numpy_numbers_are_written_as_plain_ones() -> None:
    curve = Series(name="nll", x=(np.int64(1), np.float32(2)), y=(np.float64(0.5), None))  # type: ignore[arg-type]
    assert loads(Series, dumps(curve)) == Series(name="nll", x=(1.0, 2.0), y=(0.5, None))


def test_lone_surrogates_survive(least: Report) -> None:
    odd = dataclasses.replace(least, notes=("\ud800 and é",))
    text = dumps(odd)
    text.encode("utf-8")
    assert loads(Report, text) == odd


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"headlin": 1}, "headlin: no such key of a report; did you mean 'headline'?"),
        ({"classes": "NV"}, "report.json.classes: expected list, found str"),
        ({"headline": {"seed": True}}, "report.json.headline.seed: expected int, found bool"),
        ({"headline": {"name": "x"}}, "report.json.headline: "),
        ({"cases": [{"image": "*"}]}, "report.json.cases[0].image: not base64"),
    ],
)
def test_a_wrong_value_is_named_by_its_path(least: Report, change: dict[str, object], said: str) -> None:
    plain = json.loads(dumps(least)) | change
    with pytest.raises(DataError) as caught:
        loads(Report, json.dumps(plain))
    assert said in str(caught.value)


def test_text_that_is_not_json_is_refused() -> None:
    with pytest.raises(DataError, match="not JSON"):
        loads(Report, "{")
