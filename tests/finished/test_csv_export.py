"""The tables that `skinframe report RUN --csv` writes: the run's own numbers, safe texts, pseudonyms on demand."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

import skinframe
from skinframe.data.safe_csv import parse_csv
from skinframe.errors import DataError
from skinframe.evaluation.predictions import read_predictions
from skinframe.reporting.json_codec import dumps
from skinframe.reporting.report_files import read_report
from skinframe.reporting.report_schema import Quarantined

FILES = {"metrics.csv", "predictions-test.csv", "predictions-valid.csv", "rationales.csv"}


def table(path: Path) -> list[dict[str, str]]:
    head, *rows = parse_csv(path.read_text(encoding="utf-8"))
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_the_tables_hold_the_runs_own_numbers(copy: Path, tmp_path: Path, cli: Any) -> None:
    said = cli(["report", copy, "--csv", tmp_path / "tables"])
    assert said.returncode == 0, said.stderr
    assert {path.name for path in (tmp_path / "tables").iterdir()} == FILES
    own, classes = read_predictions(copy / "predictions" / "test.parquet")
    rows = table(tmp_path / "tables" / "predictions-test.csv")
    assert [row["id"] for row in rows] == list(own.ids)
    assert [[float(row[f"calibrated:{name}"]) for name in classes] for row in rows] == own.calibrated.tolist()
    figures = json.loads((copy / "metrics.json").read_text())
    nll = {row["model"]: row for row in table(tmp_path / "tables" / "metrics.csv") if row["metric"] == "nll"}
    assert float(nll["this run"]["value"]) == figures["this run"]["nll"]["value"]
    skinframe.verify(copy)  # a run's own files are as they were


def test_e9_a_hostile_id_and_rationale_are_guarded_and_come_back(copy: Path, tmp_path: Path) -> None:
    hostile = {"id": '=HYPERLINK("http://x")', "prediction": "@sum", "rationale": "Findings: veil\n=1+1; +2\t-3"}
    (copy / "rationales.jsonl").write_text(json.dumps(hostile) + "\n")
    skinframe.report(copy, csv=tmp_path / "tables")
    text = (tmp_path / "tables" / "rationales.csv").read_text()
    assert not any(sign in text for sign in ('"=', '"@', "\n=", ";=", "; +", "\t-"))
    assert table(tmp_path / "tables" / "rationales.csv") == [hostile]


def test_an_exported_table_is_judged_as_its_run_is(copy: Path, tmp_path: Path) -> None:
    skinframe.report(copy, csv=tmp_path)
    found = skinframe.evaluate(tmp_path / "predictions-test.csv", lesion="lesion", resamples=20, out=tmp_path / "out")
    own = json.loads((copy / "metrics.json").read_text())["this run"]
    assert found.report.rows[0].metrics["nll"].value == pytest.approx(own["nll"]["value"])


def test_pseudonyms_hide_every_id_and_are_the_same_under_one_key(copy: Path, tmp_path: Path) -> None:
    key, places = tmp_path / "key", [tmp_path / name for name in ("a", "b", "c")]
    for place, file in zip(places, (key, key, tmp_path / "other key"), strict=True):
        skinframe.report(copy, csv=place, pseudonyms=file)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    ids = {name for part in ("test", "valid") for name in _names(copy, part)}
    for path in places[0].iterdir():
        assert not [name for name in ids if name in path.read_text()], path
    first, again, other = (table(place / "predictions-test.csv") for place in places)
    assert first == again
    assert not {row["id"] for row in first} & {row["id"] for row in other}
    own, _ = read_predictions(copy / "predictions" / "test.parquet")
    assert len({row["group"] for row in first}) == len(set(own.groups))


def _names(run: Path, part: str) -> set[str]:
    found, _ = read_predictions(run / "predictions" / f"{part}.parquet")
    return {*found.ids, *found.groups, *(found.lesions or ())}


def test_a_page_and_documents_under_a_key_hold_the_tables_pseudonyms_and_no_id(copy: Path, tmp_path: Path) -> None:
    own, _ = read_predictions(copy / "predictions" / "test.parquet")
    report = read_report(copy)
    assert report.data is not None
    data = dataclasses.replace(report.data, quarantined=(Quarantined(file=own.ids[0], reason=f"not {own.ids[1]}"),))
    leak = f"accepted leak, {own.ids[2]} is in train, {own.groups[3]} too"
    named = dataclasses.replace(report, data=data, warnings=(leak,))
    (copy / "report.json").write_text(dumps(named))
    ids = {name for part in json.loads((copy / "split.json").read_text())["parts"].values() for name in part}
    ids |= _names(copy, "test") | _names(copy, "valid")

    def said() -> set[str]:
        files = [copy / "report.html", *(tmp_path / "papers").iterdir()]
        return {name for name in ids for path in files if name.encode() in path.read_bytes()}

    skinframe.report(copy, csv=tmp_path / "tables", pseudonyms=tmp_path / "key", documents=tmp_path / "papers")
    assert said() == set()
    rows = {row["id"] for row in table(tmp_path / "tables" / "predictions-test.csv")}
    page = (copy / "report.html").read_text()
    titles = re.findall(r"<h3><bdi>(.+?)</bdi></h3>", page)
    assert len(titles) == len(report.cases) > 0
    assert set(titles) <= rows
    assert sum(name in page for name in rows) >= 3
    assert read_report(copy) == named
    skinframe.report(copy, documents=tmp_path / "papers")  # without a key the page names its samples: the search finds
    assert {case.id for case in report.cases} | {own.ids[0], own.ids[1], own.ids[2]} <= said()


def test_what_cannot_be_written_is_said(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret")
    with pytest.raises(DataError, match="holds no key"):
        skinframe.report(copy, csv=tmp_path / "out", pseudonyms=tmp_path / "key")
    shutil.rmtree(copy / "predictions")
    with pytest.raises(DataError, match="no such prediction table"):
        skinframe.report(copy, csv=tmp_path / "out")
