"""The first sentence of a page: how the model compares with the best of its references, and only what was tested."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from skinframe.reporting import claims
from skinframe.reporting.checklists.checklist_answers import FILLS
from skinframe.reporting.markdown import markdown
from skinframe.reporting.page import render, summary_html
from skinframe.reporting.page_views import tiles
from skinframe.reporting.report_schema import ExampleCase, Report
from skinframe.reporting.report_values import Difference, Estimate, MetricInfo, RationaleQuality
from skinframe.reporting.terminal_text import summary_text

BEST = "linear probe, class-balanced"  # 0.590 in the made-up report; the last baseline with the metric has 0.402


def gap(
    value: float, half: float, p: float | None, second: str = BEST, metric: str = "balanced_accuracy"
) -> Difference:
    return Difference(
        first="skinframe (this run)",
        second=second,
        metric=metric,
        estimate=Estimate(value=value, low=value - half, high=value + half),
        p_value=p,
        adjusted=p,
        higher_is_better=metric != "nll",
    )


def with_gaps(report: Report, *gaps: Difference, **changes: Any) -> Report:
    return dataclasses.replace(report, differences=gaps, **changes)


@pytest.mark.parametrize(
    ("difference", "start"),
    [
        (gap(0.08, 0.03, 0.001), f"Better than the best of its references, {BEST} (0.590)"),
        (gap(-0.08, 0.03, 0.001), f"Worse than the best of its references, {BEST}"),
        (gap(0.02, 0.03, 0.001), "Not shown to be better than"),
        (gap(0.08, 0.03, 0.2), "Not shown to be better than"),
        (gap(0.08, 0.03, None), "Not shown to be better than"),
    ],
)
def test_a_direction_is_named_only_where_interval_and_p_leave_none_out(
    report: Report, difference: Difference, start: str
) -> None:
    said = claims.bottom_line(with_gaps(report, difference))
    assert said.startswith(start)
    assert "395 test images of 117 patients" in said
    assert "0.612" in said


def test_without_a_paired_difference_nothing_is_claimed(report: Report) -> None:
    for said in (
        claims.bottom_line(report),
        claims.bottom_line(with_gaps(report, gap(0.2, 0.1, 0.001, "zero-shot CLIP"))),
    ):
        assert "was not tested against" in said
        assert "etter than" not in said
    alone = dataclasses.replace(report, rows=report.rows[:1])
    assert "no reference stands beside it" in claims.bottom_line(alone)
    assert claims.bottom_line(dataclasses.replace(report, rows=())) == ""


def test_it_stands_on_the_page_in_the_terminal_in_markdown_and_in_a_notebook(report: Report) -> None:
    made = with_gaps(report, gap(0.02, 0.03, 0.3), trained_on="Trained on 1,402 images of drawings.")
    for text in (render(made), summary_text(made), markdown(made), summary_html(made)):
        assert "Not shown to be better than" in text
        assert "Trained on 1,402 images" in text


def test_the_tile_names_the_best_reference_in_the_metrics_own_direction(report: Report) -> None:
    beside = {tile.label: tile.beside for tile in tiles(report)}
    assert beside["Balanced accuracy"].startswith(f"best reference: {BEST} 0.590")
    metrics = (MetricInfo(name="nll", label="NLL", higher_is_better=False),)
    (tile,) = (t for t in tiles(dataclasses.replace(report, metrics=metrics)) if t.label == "NLL")
    assert "0.911" in tile.beside


def test_a_calibrator_that_harms_is_a_warning_and_one_that_helps_is_not(report: Report) -> None:
    rows = (report.rows[0], dataclasses.replace(report.rows[1], name=claims.BEFORE), *report.rows[2:])
    harm = with_gaps(report, gap(0.216, 0.05, 0.001, claims.BEFORE, "nll"), rows=rows)
    (warning,) = claims.shift_warnings(harm)
    assert "worse after calibration" in warning
    assert "0.216" in warning
    assert "use those before calibration" in warning
    for value, p, word in ((-0.2, 0.001, "better after calibration"), (0.2, 0.4, "no difference that is shown")):
        made = with_gaps(report, gap(value, 0.05, p, claims.BEFORE, "nll"), rows=rows)
        assert claims.shift_warnings(made) == ()
        assert word in claims.calibrator_sentence(made)
        assert word in render(made)


@pytest.mark.parametrize("guess", claims.GUESSES)
def test_probabilities_worse_than_a_guess_are_a_warning(report: Report, guess: str) -> None:
    (warning,) = claims.shift_warnings(with_gaps(report, gap(0.14, 0.05, 0.01, guess, "nll")))
    assert f"worse than a {guess}" in warning
    assert claims.shift_warnings(with_gaps(report, gap(-0.5, 0.05, 0.01, guess, "nll"))) == ()


def quality(**changes: Any) -> RationaleQuality:
    found = RationaleQuality(n=111, agreement=Estimate(value=0.29, low=0.2, high=0.38), others=79, silent=0)
    return dataclasses.replace(found, named={"vascular lesion": 45, "melanoma": 34}, **changes)


def test_rationales_that_contradict_the_answer_are_counted_everywhere(report: Report) -> None:
    made = dataclasses.replace(report, rationale=quality(), explained=("Findings were not tested.",))
    for text in (render(made), summary_text(made), markdown(made), FILLS["rationales"](made).text):
        assert "29% of 111 rationales name the predicted class" in text
        assert "79 name another diagnosis (vascular lesion 45, melanoma 34)" in text
    assert "Rationale accuracy" not in render(made)  # no annotation, so nothing is measured against one
    assert "Findings were not tested." in render(made)


def test_what_was_drawn_and_not_judged_is_not_said_to_be_missing(report: Report) -> None:
    drawn = dataclasses.replace(report, grounding=None)
    assert "No heat maps" not in FILLS["explanations"](drawn).text
    assert "9 cases" in FILLS["explanations"](drawn).text
    assert FILLS["explanations"](drawn).status == "needs a human"
    none = dataclasses.replace(drawn, cases=tuple(dataclasses.replace(one, heat=None) for one in report.cases))
    assert FILLS["explanations"](none).text == "No heat maps were made."
    unread = dataclasses.replace(report, rationale=None)
    assert FILLS["rationales"](unread).status == "needs a human"


def case(report: Report, **changes: Any) -> ExampleCase:
    return dataclasses.replace(report.cases[0], **changes)


def test_a_case_says_whether_its_rationale_agrees_and_whether_the_model_is_unsure(report: Report) -> None:
    answer = report.classes[report.cases[0].prediction]
    assert claims.case_agreement(case(report, names=(answer,)), report.classes) == "names the predicted class"
    assert "vascular lesion" in claims.case_agreement(case(report, names=("vascular lesion",)), report.classes)
    assert claims.case_agreement(case(report, names=()), report.classes) == "names no diagnosis"
    assert claims.case_agreement(case(report), report.classes) == ""
    assert claims.set_sentence(case(report, prediction_set=(1,)), report.classes).endswith("MEL alone")
    assert claims.set_sentence(case(report, prediction_set=(0, 1)), report.classes).startswith("unsure")
    assert claims.set_sentence(case(report, prediction_set=()), report.classes).startswith("unsure")
    page = render(
        dataclasses.replace(report, cases=(case(report, names=("basal cell carcinoma",), prediction_set=(0, 1)),))
    )
    assert "names basal cell carcinoma" in page
    assert "Unsure: prediction set (90 %) of NV and MEL" in page


def test_full_names_stand_beside_abbreviations(report: Report) -> None:
    made = dataclasses.replace(report, class_titles={"MEL": "melanoma", "NV": "melanocytic nevus", "nevus": "nevus"})
    assert claims.class_text(made, "MEL") == "MEL (melanoma)"
    assert claims.class_text(made, "nevus") == "nevus"
    assert claims.class_text(made, "BCC") == "BCC"
    for text in (render(made), markdown(made)):
        assert "melanocytic nevus" in text
