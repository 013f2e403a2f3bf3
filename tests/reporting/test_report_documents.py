"""Markdown and checklists: the page's numbers and sentences, every topic answered or a human's, no untested claim."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest

from skinframe.reporting import formatting
from skinframe.reporting.checklists.checklist import STATUSES, checklists, write_documents
from skinframe.reporting.checklists.checklist_answers import FILLS
from skinframe.reporting.markdown import markdown, plain
from skinframe.reporting.report_files import write_report
from skinframe.reporting.report_schema import Report
from skinframe.reporting.report_values import LARGEST_GAP, NOTHING_ENTERS, EvidenceTable, ReportedTest


@pytest.fixture
def bare(report: Report) -> Report:
    """A report of which nothing but a row is known."""
    head = dataclasses.replace(report.headline, chosen_epoch=None, fingerprint="")
    return Report(headline=head, classes=report.classes, rows=(report.rows[0],))


def test_the_markdown_holds_every_figure_of_the_results(report):
    text = markdown(report)
    for row in report.rows:
        for estimate in row.metrics.values():
            assert f"{formatting.number(estimate.value)} ({formatting.interval(estimate)})" in text
    assert "Not a medical device" in text


def test_names_from_the_data_stay_text(report):
    hostile = dataclasses.replace(report, headline=dataclasses.replace(report.headline, name="<script>[x](y)|`a`\n# b"))
    first = markdown(hostile).splitlines()[0]
    assert first == "# " + plain("<script>[x](y)|`a`\n# b")
    assert "<script>" not in first
    assert "[x](y)" not in first


def test_every_topic_has_one_status_and_every_filled_one_its_file(report, tmp_path):
    write_report(report, tmp_path)
    digest = hashlib.sha256((tmp_path / "report.json").read_bytes()).hexdigest()
    found = checklists(report, tmp_path)
    assert {one.name for one in found} >= {"CLAIM", "TRIPOD+AI", "STARD-AI", "TRIPOD-LLM", "CLEAR Derm", "Model card"}
    for one in found:
        assert sum(one.count(status) for status in STATUSES) == len(one.items)
        for item in one.items:
            assert item.text
            assert item.digest == (digest if item.status == "filled" else "")


def test_a_bare_report_fills_little_and_claims_nothing(bare, tmp_path):
    answers = {name: fill(bare) for name, fill in FILLS.items()}
    assert {name for name, answer in answers.items() if answer.status == "filled"} == {
        "set_aside",
        "performance",
        "versions",
    }
    assert answers["rationales"].status == answers["explanations"].status == "not applicable"
    write_documents(bare, tmp_path, tmp_path / "papers")
    said = "".join(path.read_text() for path in sorted((tmp_path / "papers").glob("*.md"))).lower()
    for word in ("significant", "grounded", "out of distribution", "is calibrated"):
        assert word not in said


def test_documents_are_one_page_a_guideline_and_one_table_for_machines(report, tmp_path):
    found = write_documents(report, tmp_path, tmp_path / "papers")
    names = {path.name for path in (tmp_path / "papers").iterdir()}
    assert names == {"report.md", "checklists.json", *(one.file for one in found)}
    kept = json.loads((tmp_path / "papers" / "checklists.json").read_text())
    assert [one["name"] for one in kept] == [one.name for one in found]


@pytest.mark.parametrize(
    ("topic", "test"),
    [("subgroups", LARGEST_GAP), ("robustness", NOTHING_ENTERS)],
)
def test_a_table_is_found_by_its_test_whatever_its_title(report, topic, test):
    """`By age` says nothing of subgroups in so many words."""
    assert FILLS[topic](report).status == "needs a human"
    table = EvidenceTable(name="By age", sentence="", head=(), rows=(), checks=(ReportedTest(name=test, passed=None),))
    answer = FILLS[topic](dataclasses.replace(report, evidence=(table,)))
    assert answer.status == "filled"
    assert "By age" in answer.text
