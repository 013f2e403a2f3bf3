"""A grid end to end: what is planned, paired, refused, and never done twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from skinframe import cli
from skinframe.errors import DataError
from skinframe.evaluation.predictions import read_predictions
from skinframe.grid.ablation_sweep_curve import GridSettings, ablation
from skinframe.grid.run_request import Request
from skinframe.reporting.grid_report import GridReport
from skinframe.reporting.json_codec import loads


def called(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run the command line in this process and return its code, output and errors."""
    code = 0
    try:
        cli.main(words)
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def runs(out: Path) -> dict[str, Path]:
    return {path.name: path for path in out.glob("small-*")}


def test_the_plan_says_what_each_arm_drops_and_starts_nothing(
    words: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, _ = called(words(tmp_path, "--plan", "--over", "losses.rationale"), capsys)
    assert code == 0
    assert "3 arms x 2 seeds = 6 runs" in said
    assert "without alignment  dropped: losses.alignment (disabled); heads.project (no remaining consumer)" in said
    assert "without rationale  dropped: losses.rationale (disabled)" in said
    assert "0 done, 0 begun, 6 to do" in said
    assert "TFLOP per run" in said
    assert "one split for all, seed 17" in said
    assert not list(tmp_path.iterdir())


def test_each_arm_is_an_ordinary_run_on_one_split(made: Any) -> None:
    out = made.folder.parent
    plans = [yaml.safe_load((folder / "plan.yaml").read_text()) for folder in runs(out).values()]
    assert sorted(plan["recipe"]["seed"] for plan in plans) == [17, 17, 18, 18]
    splits = {json.loads((folder / "split.json").read_text())["digest"] for folder in runs(out).values()}
    folds = {tuple(json.loads((f / "calibrator.json").read_text())["fitted_on"]) for f in runs(out).values()}
    assert len(splits) == len(folds) == 1
    assert all((folder / "report.html").is_file() for folder in runs(out).values())
    assert not any((folder / "rationales.jsonl").exists() for folder in runs(out).values())


def test_a_run_is_named_as_its_own_plan_names_it(small: Any, tmp_path: Path) -> None:
    """The grid plans an arm once and names its other seeds from that; the run itself plans from the recipe."""
    base = Request(recipe=str(small.recipe), overrides=small.overrides)
    grid = ablation(base, ["losses.alignment"], "leave-one-out", [], GridSettings(seeds=2, out=tmp_path))
    assert [item.name for item in grid.items] == [item.request.plan().run_name for item in grid.items]
    assert len({item.name for item in grid.items}) == 4


def test_differences_are_paired_by_seed(made: Any) -> None:
    report = made.report
    (row,) = [row for row in report.differences if row.metric == "nll"]
    by_name = {arm.name: arm.runs for arm in report.arms}
    each = []
    for whole, other in zip(by_name["whole"], by_name["without alignment"], strict=True):
        found = [
            read_predictions(made.folder.parent / run / "predictions" / "test.parquet")[0] for run in (whole, other)
        ]
        nll = [-np.log(one.calibrated[np.arange(len(one.labels)), one.labels]).mean() for one in found]
        each.append(nll[0] - nll[1])
    assert row.values == pytest.approx(each, abs=1e-9)
    assert row.estimate.value == pytest.approx(np.mean(each), abs=1e-9)
    assert row.adjusted is not None
    assert row.p_value is not None
    assert row.adjusted >= row.p_value


def test_the_report_is_read_back_and_says_only_what_holds(made: Any) -> None:
    text = (made.folder / "grid.json").read_text(encoding="utf-8")
    assert loads(GridReport, text, "grid.json") == made.report
    page = (made.folder / "grid.html").read_text(encoding="utf-8")
    assert "no difference shown" in page
    assert "fewer than 5" in page
    assert "significant" not in page
    assert "<script" not in page
    assert "| without alignment |" in (made.folder / "grid.md").read_text(encoding="utf-8")


def test_a_finished_grid_is_never_repeated(ablated: Callable[..., Any], copied: Path, made: Any) -> None:
    before = {path: path.stat().st_mtime_ns for folder in runs(copied).values() for path in folder.rglob("*")}
    again = ablated(copied)
    assert again.report.figures == made.report.figures
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_no_table_with_missing_arms(
    words: Callable[..., list[str]], copied: Path, made: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = made.report.arms[1].runs[1]
    (copied / gone / "files.json").unlink()
    (copied / made.folder.name / "grid.json").unlink()
    code, said, errors = called(words(copied, "--table"), capsys)
    assert code == DataError.exit_code
    assert "1 of 4 runs are missing, so there is no comparison: without alignment, seed 18" in errors
    assert "Traceback" not in errors
    assert not said
    assert not (copied / made.folder.name / "grid.json").exists()


def test_an_interrupted_arm_goes_on_and_ends_the_same(ablated: Callable[..., Any], copied: Path, made: Any) -> None:
    gone = copied / made.report.arms[1].runs[1]
    for name in ("files.json", "report.json", "metrics.json"):
        (gone / name).unlink()
    again = ablated(copied)
    assert again.report.figures == made.report.figures


def test_one_failing_arm_is_named_and_the_others_stand(
    words: Callable[..., list[str]], copied: Path, made: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = copied / made.report.arms[0].runs[1]
    (gone / "files.json").unlink()
    for path in gone.glob("checkpoints/epoch-000/model.safetensors"):
        path.write_bytes(b"damaged")
    (gone / "plan.yaml").write_text("recipe: {}\n")
    code, _, errors = called(words(copied), capsys)
    assert code == 2
    assert "1 of 4 runs failed, so there is no comparison; finished runs are kept:" in errors
    assert "whole, seed 18: " in errors
    assert "Traceback" not in errors
    assert "is not a valid plan" in errors


def test_a_share_makes_its_own_runs_only(
    words: Callable[..., list[str]], copied: Path, made: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = made.report.arms[0].runs
    for run in (first, second):
        (copied / run / "files.json").unlink()
    code, _, errors = called(words(copied, "--share", "1/2"), capsys)
    assert code == 0
    assert "build the report with --table" in errors
    assert (copied / first / "files.json").is_file()
    assert not (copied / second / "files.json").exists()
