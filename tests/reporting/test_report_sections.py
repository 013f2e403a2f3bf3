"""The page is an ordered list of sections; each may cite the tests that it names, and no other."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from skinframe.reporting.glossary import TERMS
from skinframe.reporting.markdown import markdown
from skinframe.reporting.page import render, section_views
from skinframe.reporting.page_sections import SECTIONS, citing
from skinframe.reporting.report_files import read_report, write_report
from skinframe.reporting.report_schema import Report
from skinframe.reporting.report_values import (
    LARGEST_GAP,
    NOTHING_ENTERS,
    OUT_OF_DISTRIBUTION,
    SUBGROUPS,
    AddedSection,
    EvidenceTable,
    ReportedTest,
)

HEADING = re.compile(r"<h2>(.*?)</h2>")


def table(name: str, *checks: ReportedTest, topic: str = "") -> EvidenceTable:
    return EvidenceTable(name=name, sentence="How to read it.", head=(), rows=(), checks=checks, topic=topic)


def test_headings_are_in_the_order_of_the_places(report: Report) -> None:
    titles = HEADING.findall(render(report))
    expected = [view.section.title for view in section_views(report)]
    assert titles == ["Warnings", *expected, "Glossary"]
    assert [section.place for section in SECTIONS] == sorted({section.place for section in SECTIONS})
    assert "Calibration" in expected


def test_a_section_cannot_cite_a_test_that_it_does_not_name(report: Report) -> None:
    foreign = table("Ages", ReportedTest(name=NOTHING_ENTERS, passed=True), ReportedTest(name=LARGEST_GAP, passed=True))
    made = dataclasses.replace(report, evidence=(dataclasses.replace(foreign, topic=SUBGROUPS),))
    page = render(made)
    assert f"Test “{LARGEST_GAP}”: holds" in page
    assert NOTHING_ENTERS not in page
    assert NOTHING_ENTERS not in markdown(made)


def test_an_added_section_stands_at_its_place_and_cites_only_what_it_names(report: Report) -> None:
    checks = (
        ReportedTest(name="own test", passed=False, detail="p = 0.4"),
        ReportedTest(name="other test", passed=True),
    )
    section = AddedSection(
        name="ages",
        title="Ages & sites",
        place=250,
        cites=("own test",),
        paragraphs=("Older patients <b>first</b>.",),
        tables=(table("Ages", *checks),),
    )
    made = dataclasses.replace(report, sections=(section,))
    titles = HEADING.findall(render(made))
    assert titles.index("Ages &amp; sites") == titles.index("Calibration") + 1
    for text in (render(made), markdown(made)):
        assert "own test" in text
        assert "other test" not in text
        assert "<b>first</b>" not in text


def test_every_term_of_a_section_is_in_the_glossary_and_none_is_idle() -> None:
    named = {key for section in SECTIONS for key in section.terms}
    assert named == TERMS.keys()


def test_taking_out_tests_changes_nothing_else(report: Report) -> None:
    bare = citing(report, ())
    assert bare.rows == report.rows
    assert bare.cases == report.cases
    assert bare.grounding is not None
    assert bare.grounding.tests == ()
    assert citing(report, [check.name for check in (*report.grounding.tests, *report.checks)]) == report


@pytest.mark.parametrize(
    ("name", "check", "topic", "today"),
    [
        ("By sex", "Largest gap beyond chance", "subgroups", LARGEST_GAP),
        ("By tier: x", "Falls beyond chance out of distribution", "tiers", OUT_OF_DISTRIBUTION),
        ("Words", "No word gets in but through the pixels", "injected-text", NOTHING_ENTERS),
        ("Before and after calibration", "", "calibration", ""),
        ("Leaving the least sure to someone else", "", "selective-prediction", ""),
    ],
)
def test_a_report_of_an_older_version_is_read_with_the_names_of_today(report, tmp_path, name, check, topic, today):
    old = table(name, *([ReportedTest(name=check, passed=True)] if check else []))
    write_report(dataclasses.replace(report, evidence=(old,)), tmp_path)
    (found,) = read_report(tmp_path).evidence
    assert found.topic == topic
    assert [one.name for one in found.checks] == ([today] if today else [])


def test_every_term_of_the_page_has_a_heading_in_the_glossary_of_the_docs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8").lower()
    headings = re.findall(r"^### (.*)$", text, re.MULTILINE)
    words = {term.label: re.split(r"[ (,]", term.label.lower())[0] for term in TERMS.values()}
    assert [label for label, word in words.items() if not any(word in heading for heading in headings)] == []
