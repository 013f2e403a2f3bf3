"""One plugin file adds a section to the report of a real run, and one that fails costs the run nothing."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import skinframe
from skinframe.components import PredictedPart, ReportSection, RunData, SectionContent, SectionRow, SectionTable
from skinframe.judging.plugin_sections import added_sections
from skinframe.reporting.report_files import read_report

SOURCE = '''
"""Class shares of the test set, as predicted and as labelled."""
import skinframe
from skinframe.components import SectionContent, SectionNumber, SectionRow, SectionTable, SectionTest


class Shares(skinframe.ReportSection):
    """Predicted and true class shares."""

    name = "shares"
    title = "Predicted & true class shares"
    place = 250
    cites = ("every class predicted",)

    def build(self, run):
        predicted = run.test.calibrated.argmax(1)
        shares = [float((predicted == c).mean()) for c in range(len(run.classes))]
        rows = tuple(
            SectionRow(name=name, cells=(SectionNumber(value=share),)) for name, share in zip(run.classes, shares)
        )
        known = sum(value is not None for value in run.metrics.values())
        return SectionContent(
            paragraphs=(f"{known} metrics, {len(run.valid.ids)} validation images, <b>plain text</b>.",),
            tables=(SectionTable(title="Shares", sentence="Of the test images.", head=("predicted",), rows=rows),),
            tests=(
                SectionTest(name="every class predicted", passed=min(shares) > 0),
                SectionTest(name="an uncited test", passed=True),
            ),
        )


class Broken(skinframe.ReportSection):
    """Raises."""

    name = "broken"
    title = "Never shown"

    def build(self, run):
        return {}["metadata"]


@skinframe.hookimpl
def register_report_sections():
    return [Shares, Broken]
'''


RECIPE = """
name: plain
requires: [cfa, clip, derm, tiny]
data: {use: synthetic_dermoscopy, config: {images: 60, seed: 110}}
prompt: {use: clinical_template}
encoders:
  clip: {use: open_clip, config: {model: "embedded:clip"}}
heads:
  classify: {use: pooled_linear, config: {gives: logits}}
losses:
  focal: {use: focal}
split: {train: 0.7, valid: 0.15, test: 0.15, max_drift: 1, waive: [MEL, NV, BCC, AK, BKL, DF, VASC, SCC]}
images: {workers: 1}
train: {epochs: 1, batch_size: 16, lr: 1.0e-2, threads: 1}
evaluate: {resamples: 20, cases: 1, probes: false, explain: false}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("plugin")
    recipe, plugin = folder / "plain.yaml", folder / "shares.py"
    recipe.write_text(RECIPE)
    plugin.write_text(SOURCE)
    return skinframe.run(recipe, out=folder / "runs", plugins=[plugin], quiet=True)


def test_the_section_stands_at_its_place_with_its_values(run: Any) -> None:
    headings = re.findall("<h2>(.*?)</h2>", (run.folder / "report.html").read_text())
    place = headings.index("Predicted &amp; true class shares")
    assert headings[place - 1] == "Calibration"
    assert headings[place + 1].startswith("Selective prediction")
    (section,) = read_report(run.folder).sections
    cells = [row.cells[0].value for row in section.tables[0].rows]
    assert sum(cells) == pytest.approx(1)
    confusion = np.array(run.report.confusion.counts)
    assert cells == pytest.approx((confusion.sum(0) / confusion.sum()).tolist())


def test_only_the_tests_that_it_names_are_shown_and_text_stays_text(run: Any) -> None:
    page = (run.folder / "report.html").read_text()
    assert "<strong>every class predicted</strong>" in page
    assert "an uncited test" not in page
    assert "<b>plain text</b>" not in page


def test_a_section_that_fails_is_a_warning_of_the_finished_run(run: Any) -> None:
    assert "the report section 'broken' could not be built (KeyError: 'metadata')" in run.report.warnings
    assert "Never shown" not in (run.folder / "report.html").read_text()


def test_the_page_is_written_again_without_the_plugin(run: Any) -> None:
    before = (run.folder / "report.html").read_text()
    (run.folder / "report.html").unlink()
    skinframe.report(run.folder)
    assert (run.folder / "report.html").read_text() == before


def part() -> PredictedPart:
    table = np.full((2, 2), 0.5)
    return PredictedPart(
        ids=("a", "b"), groups=("a", "b"), labels=np.array([0, 1]), probabilities=table, calibrated=table
    )


class Ragged(ReportSection):
    """A row with too few cells."""

    name = "ragged"
    title = "Ragged"

    def build(self, run: RunData) -> SectionContent:
        row = SectionRow(name="first", cells=())
        return SectionContent(tables=(SectionTable(title="T", sentence="", head=("one",), rows=(row,)),))


def test_a_table_whose_rows_do_not_fit_its_head_is_refused() -> None:
    data = RunData(classes=("x", "y"), valid=part(), test=part())
    built, (warning,) = added_sections([Ragged()], data)
    assert built == ()
    assert "row 'first' of table 'T' does not have 1 cells" in warning
