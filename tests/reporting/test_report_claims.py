"""No claim without a test: the words that claim stand on the page only where a test object carries them."""

from __future__ import annotations

import dataclasses
import re

from skinframe.reporting import formatting
from skinframe.reporting.page import render
from skinframe.reporting.report_schema import Report
from skinframe.reporting.report_values import GROUNDING_TESTS, Grounding, Reliability, ReportedTest

LEGS = tuple(ReportedTest(name=name, passed=True) for name in GROUNDING_TESTS)


def test_without_tests_the_page_claims_nothing(report: Report) -> None:
    text = render(report).lower()
    assert "significant" not in text
    assert "grounded" not in text
    assert not re.search(r"(is|are|well|now) calibrated", text)
    assert "no test of calibration was made" in text


def test_maps_are_called_grounded_only_when_every_test_passed(report: Report) -> None:
    assert "the heat maps are grounded" in formatting.grounding_sentence(Grounding(n=9, tests=LEGS))
    for leg in range(3):
        short = formatting.grounding_sentence(Grounding(n=9, tests=LEGS[:leg] + LEGS[leg + 1 :]))
        assert "grounded" not in short
        assert f"Not tested: {GROUNDING_TESTS[leg]}" in short
        failing = tuple(dataclasses.replace(one, passed=index != leg) for index, one in enumerate(LEGS))
        failed = formatting.grounding_sentence(Grounding(n=9, tests=failing))
        assert "grounded" not in failed
        assert LEGS[leg].name in failed


def test_a_test_that_was_not_run_counts_as_missing() -> None:
    idle = tuple(dataclasses.replace(one, passed=None) for one in LEGS)
    assert "grounded" not in formatting.grounding_sentence(Grounding(n=9, tests=idle))


def test_the_calibration_verdict_is_the_tests_own() -> None:
    made = Reliability(name="after", bins=(), verdict=ReportedTest(name="floor", passed=False, detail="p = 0.001"))
    said = formatting.reliability_sentence(made)
    assert said == "A departure from calibration was found: of the top class, test “floor” (p = 0.001)."
    top = ReportedTest(name="floor", passed=True)
    passed = formatting.reliability_sentence(dataclasses.replace(made, verdict=top))
    assert "No departure from calibration of the top class was found" in passed
    assert "Class-wise calibration was not tested" in passed
    both = formatting.reliability_sentence(dataclasses.replace(made, verdict=top, classwise=top))
    assert "of the top class or of the classes one by one" in both
    bad = dataclasses.replace(top, name="class-wise", passed=False)
    either = formatting.reliability_sentence(dataclasses.replace(made, verdict=top, classwise=bad))
    assert either.startswith("A departure from calibration was found: of the classes one by one")
    assert "No departure" not in either


def test_a_calibration_test_that_was_not_run_is_no_pass_and_says_why() -> None:
    few = ReportedTest(name="floor", passed=None, detail="not tested: 10 draws are too few")
    said = formatting.reliability_sentence(Reliability(name="after", bins=(), verdict=few, classwise=few))
    assert said.startswith("No test of calibration was made")
    assert "10 draws are too few" in said


def test_a_warning_of_a_figure_is_on_the_page_once(report: Report) -> None:
    first = report.rows[0]
    metrics = {
        name: dataclasses.replace(one, warnings=("only 9 groups",) if name in ("ece", "nll") else ())
        for name, one in first.metrics.items()
    }
    page = render(dataclasses.replace(report, rows=(dataclasses.replace(first, metrics=metrics), *report.rows[1:])))
    assert page.count("only 9 groups") == 1
    assert "skinframe (this run), NLL; skinframe (this run), ECE, 15 bins" in page
