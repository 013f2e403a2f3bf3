"""Further tables of the report: a topic, how to read it, and rows of numbers with intervals; and plugins' sections."""

from __future__ import annotations

from dataclasses import dataclass

from skinframe.reporting.figures import Check, Curve, Estimate

# topics: each is a section of the page; a table without one stands among further analyses
CALIBRATION = "calibration"
DISCRIMINATION = "discrimination"
DECISION = "decision-curves"
SELECTIVE = "selective-prediction"
CONFORMAL = "conformal"
SUBGROUPS = "subgroups"
TIERS = "tiers"
INJECTION = "injected-text"
# names of tests, by which a table is recognised whatever its title
LARGEST_GAP = "Largest difference between subgroups beyond chance"
OUT_OF_DISTRIBUTION = "Drop beyond chance out of distribution"
NOTHING_ENTERS = "Text enters only through the pixels"


@dataclass(frozen=True, kw_only=True)
class EvidenceRow:
    """One row: a name, a note under it, and one cell per column; None where there is no value."""

    name: str
    cells: tuple[Estimate | None, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class EvidenceTable:
    """A table of one topic with its column heads, how to read it, curves beside it and the tests that were made."""

    name: str
    sentence: str
    head: tuple[str, ...]
    rows: tuple[EvidenceRow, ...]
    curves: tuple[Curve, ...] = ()
    unit: str = ""
    checks: tuple[Check, ...] = ()
    topic: str = ""


@dataclass(frozen=True, kw_only=True)
class AddedSection:
    """A section that a plugin added: title, place, the tests that it may cite, paragraphs and tables.

    The report holds what the plugin built, so the page can be written again where the plugin is not installed.
    """

    name: str
    title: str
    place: int
    cites: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = ()
    tables: tuple[EvidenceTable, ...] = ()
    tests: tuple[Check, ...] = ()
