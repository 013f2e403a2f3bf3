from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from skinframe.reporting.report_schema import PlanText, Report
from skinframe.reporting.report_values import Estimate
from skinframe.reporting.run_comparison import (
    ABSENT,
    Difference,
    compare,
    difference_sentence,
    to_html,
    write_comparison,
)
from skinframe.reporting.terminal_text import comparison_text, safe, summary_text


def other(report: Report, **changes: object) -> Report:
    head = dataclasses.replace(report.headline, fingerprint="aa00bb11cc22", **changes)  # type: ignore[arg-type]
    plan = PlanText(yaml="name: cfa_full\nseed: 17\nlosses:\n  focal: {use: cross_entropy, weight: 1.0}\n")
    return dataclasses.replace(report, headline=head, plan=plan)


def difference(value: float, half: float, p: float, metric: str = "balanced_accuracy") -> Difference:
    estimate = Estimate(value=value, low=value - half, high=value + half)
    return Difference(first="one", second="two", metric=metric, estimate=estimate, p_value=p)


def test_names_settings_and_figures_stand_side_by_side(report: Report) -> None:
    made = compare([report, other(report)])
    assert made.names == ("cfa_full 8f31c2a9", "cfa_full aa00bb11")
    assert [(one.path, one.values) for one in made.settings] == [("losses.focal.use", ("focal", "cross_entropy"))]
    assert made.warnings == ()
    text = comparison_text(made)
    assert "losses.focal.use" in text
    assert text.count("0.612 (0.567 to 0.657)") == 2


def test_runs_that_do_not_compare_are_said_so(report: Report) -> None:
    warnings = " ".join(compare([report, other(report, scale="qwen7b", n_test=1000, seed=18)]).warnings)
    assert "different scales: tiny, qwen7b" in warnings
    assert "different images" in warnings
    assert "different seeds" in warnings


@pytest.mark.parametrize(
    ("value", "half", "p", "higher", "said"),
    [
        (0.04, 0.02, 0.01, True, "favours one"),
        (0.04, 0.02, 0.01, False, "favours two"),
        (-0.04, 0.02, 0.01, True, "favours two"),
        (0.04, 0.06, 0.2, True, "no difference shown"),
        (0.04, 0.02, 0.06, True, "no difference shown"),
        (0.04, 0.06, 0.01, True, "no difference shown"),
    ],
)
def test_a_direction_is_named_only_beyond_zero(value: float, half: float, p: float, higher: bool, said: str) -> None:
    found = dataclasses.replace(difference(value, half, p), higher_is_better=higher)
    assert difference_sentence(found) == said


def test_the_adjusted_p_rules_and_no_p_is_no_test() -> None:
    found = difference(0.04, 0.02, 0.03)
    assert difference_sentence(dataclasses.replace(found, adjusted=0.2)) == "no difference shown"
    assert difference_sentence(dataclasses.replace(found, p_value=None)) == "not tested"


def test_the_page_is_whole_and_inert(report: Report, tmp_path: Path) -> None:
    hostile = other(report, name="<script>alert(1)</script>")
    made = compare([report, hostile], [difference(0.04, 0.02, 0.01)])
    page = to_html(made)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "favours one" in page
    assert "http" not in page.replace("http-equiv", "")
    write_comparison(made, tmp_path / "compare.html")
    assert (tmp_path / "compare.html").read_text(encoding="utf-8") == page


def test_a_plan_that_is_not_yaml_or_absent_still_compares(report: Report) -> None:
    bad = dataclasses.replace(report, plan=PlanText(yaml="a: &x [1]\nb: *x"))
    assert {ABSENT} <= {value for row in compare([report, bad]).settings for value in row.values}
    assert compare([dataclasses.replace(report, plan=None), bad]).settings == ()


def test_the_terminal_summary_is_plain_and_honest(report: Report) -> None:
    hostile = dataclasses.replace(report, headline=dataclasses.replace(report.headline, name="\x1b[31mred\u202e"))
    text = summary_text(hostile)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "scale: tiny, synthetic images" in text
    assert "not a medical device" in text
    assert "0.047 (0.035 to 0.059) floor 0.041" in text
    assert safe("a\nb") == "a b"


def test_the_text_fits_a_terminal_however_long_the_names(report: Report) -> None:
    names = ["cross_entropy_plain 8f31c2a9", "cfa_without_alignment_at_twice_the_rate aa00bb11", "probe_balanced cc"]
    reports = [other(report, seed=seed) for seed in range(3)]
    differences = [
        dataclasses.replace(difference(0.04, 0.02, 0.01, metric), first=names[0], second=names[1])
        for metric in ("balanced_accuracy", "nll")
    ]
    text = comparison_text(compare(reports, differences, names))
    assert max(map(len, text.splitlines())) <= 100
    for name in names:
        assert f"{name} " in text
    assert text.count("0.612 (0.567 to 0.657)") == 3
    assert text.count(f"{names[0]} - {names[1]}") == 1
    assert text.count("favours") == 2


def test_one_epoch_is_no_epochs_and_none_is_not_said(report: Report) -> None:
    def line(epochs: int, chosen: int | None) -> str:
        head = dataclasses.replace(report.headline, epochs=epochs, chosen_epoch=chosen)
        return summary_text(dataclasses.replace(report, headline=head)).splitlines()[1]

    assert "; 1 epoch, epoch 1 chosen" in line(1, 1)
    assert "; 2 epochs, epoch 1 chosen" in line(2, 1)
    assert "epoch" not in line(0, None)
