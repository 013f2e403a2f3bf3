"""Further tables of evidence: what they are called, what they say of themselves, and rows of numbers with intervals."""

from __future__ import annotations

from dataclasses import dataclass

from skinframe.reporting.figures import Check, Curve, Estimate

# tests by which a table of its kind is known, whatever its title
LARGEST_GAP = "Largest gap beyond chance"
OUT_OF_DISTRIBUTION = "Falls beyond chance out of distribution"
NOTHING_ENTERS = "No word gets in but through the pixels"


@dataclass(frozen=True, kw_only=True)
class EvidenceRow:
    """One line: a name, a note under it, and a cell a column; None where there is nothing to say."""

    name: str
    cells: tuple[Estimate | None, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class EvidenceTable:
    """A table with its head, how to read it, curves beside it and the tests that were made."""

    name: str
    sentence: str
    head: tuple[str, ...]
    rows: tuple[EvidenceRow, ...]
    curves: tuple[Curve, ...] = ()
    unit: str = ""
    checks: tuple[Check, ...] = ()
