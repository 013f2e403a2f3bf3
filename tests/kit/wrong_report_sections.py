"""One deliberately wrong report section for each check of the contract kit."""

from __future__ import annotations

import itertools
from dataclasses import replace

import skinframe
from skinframe.components import SectionContent, SectionNumber, SectionRow, SectionTable, SectionTest

COUNTER = itertools.count()


class Right(skinframe.ReportSection):
    """How sure the model is of each class; passes every check."""

    name = "right"
    title = "Mean probability per class"
    cites = ("mean sums to one",)

    def build(self, run):
        means = run.test.calibrated.mean(axis=0)
        cells = tuple(SectionNumber(value=float(mean)) for mean in means)
        table = SectionTable(
            title="Means", sentence="Over the test set.", head=run.classes, rows=(SectionRow(name="mean", cells=cells),)
        )
        return SectionContent(tables=(table,), tests=(SectionTest(name=self.cites[0], passed=True),))


class Untitled(Right):
    title = " "


class Ragged(Right):
    def build(self, run):
        content = super().build(run)
        return replace(content, tables=(replace(content.tables[0], head=("one",)),))


class CitesAnother(Right):
    cites = ("mean sums to one",)

    def build(self, run):
        return replace(super().build(run), tests=(SectionTest(name="ECE against its null floor", passed=True),))


class Counting(Right):
    def build(self, run):
        return replace(super().build(run), paragraphs=(f"call {next(COUNTER)}",))


class Sorting(Right):
    """Scales the probabilities in place."""

    def build(self, run):
        content = super().build(run)
        run.valid.probabilities[:] = run.valid.probabilities / 2
        return content


RIGHT = [Right()]
WRONG = {
    "titled": Untitled(),
    "typed": Ragged(),
    "cited": CitesAnother(),
    "deterministic": Counting(),
    "pure": Sorting(),
}
