"""The laws of a report section. Each takes a section and a drawn run, and asserts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from skinframe.components import PredictedPart, ReportSection, RunData, SectionContent
from skinframe.testing.law_and_check import Law, Suite


@dataclass(frozen=True, repr=False)
class PredictedRun:
    """The predictions of a run, for a section to be built from."""

    data: RunData

    def __repr__(self) -> str:
        return f"{len(self.data.test.ids)} test samples of {len(self.data.classes)} classes, seed {self.data.seed}"


def titled(section: ReportSection, run: PredictedRun) -> None:
    """It has a heading of one line and a place on the page."""
    title = getattr(section, "title", None)
    assert isinstance(title, str), "has no `title`"
    assert title.strip(), "its title is blank"
    assert "\n" not in title, "its title has several lines"
    assert isinstance(section.place, int), f"its place is {section.place!r}, not a whole number"


def typed(section: ReportSection, run: PredictedRun) -> None:
    """`build` returns a SectionContent or None, with one cell per column head and no number that is not finite."""
    content = section.build(run.data)
    assert content is None or isinstance(content, SectionContent), f"returned {type(content).__name__}"
    for table in () if content is None else content.tables:
        for row in table.rows:
            assert len(row.cells) == len(table.head), f"row '{row.name}' of '{table.title}' does not fit its head"
            for cell in row.cells:
                parts = () if cell is None else (cell.value, cell.low, cell.high)
                for number in parts:
                    assert number is None or math.isfinite(number), f"'{row.name}' of '{table.title}' has {number}"


def cited(section: ReportSection, run: PredictedRun) -> None:
    """Every test that it reports is named in `cites`."""
    content = section.build(run.data)
    for test in () if content is None else content.tests:
        assert test.name in section.cites, f"reports the test '{test.name}', which `cites` does not name"


def deterministic(section: ReportSection, run: PredictedRun) -> None:
    """Two sections of the same options build the same content."""
    first, two = section.build(run.data), type(section)(section.config).build(run.data)
    assert first == two, f"first {first}, then {two}"


def pure(section: ReportSection, run: PredictedRun) -> None:
    """The predictions are left as they were."""
    parts = (run.data.valid, run.data.test)
    before = [each.copy() for part in parts for each in (part.labels, part.probabilities, part.calibrated)]
    section.build(run.data)
    after = [each for part in parts for each in (part.labels, part.probabilities, part.calibrated)]
    for first, two in zip(before, after, strict=True):
        assert np.array_equal(first, two), "a table of predictions was changed"


LAWS = (titled, typed, cited, deterministic, pure)


def _run(classes: int, count: int, seed: int) -> PredictedRun:
    random = np.random.default_rng(seed)

    def part(name: str) -> PredictedPart:
        probabilities = random.dirichlet(np.ones(classes), count)
        return PredictedPart(
            ids=tuple(f"{name}{number}" for number in range(count)),
            groups=tuple(f"patient:{number // 2}" for number in range(count)),
            labels=random.integers(0, classes, count),
            probabilities=probabilities,
            calibrated=random.dirichlet(np.ones(classes), count),
            metadata=tuple({"age": float(random.integers(0, 90))} for _ in range(count)),
        )

    names = tuple(f"class {number}" for number in range(classes))
    return PredictedRun(RunData(classes=names, valid=part("v"), test=part("t"), metrics={"nll": 1.0}, seed=seed))


REPORT_SECTION = Suite(
    "report_section",
    tuple(map(Law, LAWS)),
    lambda section, law: st.builds(_run, st.integers(2, 4), st.integers(1, 40), st.integers(0, 2**16)),
    examples=6,
)
