"""Report sections: what a plugin adds to the report of a run, as values that the page lays out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from skinframe.components.base import Component
from skinframe.sample import Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictedPart:
    """One part of the split as the chosen checkpoint predicts it: labels [N], probabilities [N, C]."""

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    calibrated: NDArray[np.float64]
    metadata: Sequence[Mapping[str, Value]] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class RunData:
    """What a report section is built from. `metrics` are the test set's, by name; None where undefined."""

    classes: tuple[str, ...]
    valid: PredictedPart
    test: PredictedPart
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class SectionNumber:
    """A number with its interval; None where it is undefined. `method` says how the interval was made."""

    value: float | None
    low: float | None = None
    high: float | None = None
    method: str = ""


@dataclass(frozen=True, kw_only=True)
class SectionRow:
    """One row: a name and one cell per column; None where there is no value."""

    name: str
    cells: tuple[SectionNumber | None, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class SectionTable:
    """A table with its column heads and a sentence on how to read it."""

    title: str
    sentence: str
    head: tuple[str, ...]
    rows: tuple[SectionRow, ...]


@dataclass(frozen=True, kw_only=True)
class SectionTest:
    """A test that was made and its outcome; None where it could not be run."""

    name: str
    passed: bool | None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class SectionContent:
    """What the section shows: paragraphs of plain text, then tables, then the outcomes of tests."""

    paragraphs: tuple[str, ...] = ()
    tables: tuple[SectionTable, ...] = ()
    tests: tuple[SectionTest, ...] = ()


class ReportSection(Component):
    """A section of the report. The report keeps what it built, so that the page can be written without the plugin."""

    kind = "report_section"
    title: ClassVar[str]  # the heading
    place: ClassVar[int] = 1000  # sections are in the order of their places; the report's own stand at 100, 200, …
    cites: ClassVar[tuple[str, ...]] = ()  # names of the tests that the section may cite; any other is left out

    @abstractmethod
    def build(self, run: RunData) -> SectionContent | None:
        """Return the section of a run; None where the run has nothing for it."""
