"""A report held against reporting guidelines: each topic filled, left to a human, or not applicable."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

from skinframe.atomic_write import write_atomic, write_json
from skinframe.recipe.yaml_text import parse_value
from skinframe.reporting.checklists.checklist_answers import FILLS, Answer, human
from skinframe.reporting.markdown import markdown as whole
from skinframe.reporting.markdown import plain, table
from skinframe.reporting.report_schema import Report
from skinframe.untrusted_files import read_text

GUIDELINES = Path(__file__).with_name("guidelines.yaml")
HEAD = ("topic", "status", "what the run says, or what to write", "shown by")
STATUSES = ("filled", "needs a human", "not applicable")


@dataclass(frozen=True)
class ChecklistItem:
    """One topic: its status, what is said, and the file that shows it with its SHA-256."""

    topic: str
    status: str
    text: str
    artefact: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Checklist:
    """One guideline over one report."""

    name: str
    source: str
    file: str
    items: tuple[ChecklistItem, ...]

    def count(self, status: str) -> int:
        return sum(item.status == status for item in self.items)

    def __str__(self) -> str:
        return f"{self.name}: " + ", ".join(f"{self.count(status)} {status}" for status in STATUSES)


def checklists(report: Report, run: Path) -> tuple[Checklist, ...]:
    """Return every guideline over a report whose files stand in `run`."""
    known = parse_value(read_text(GUIDELINES), GUIDELINES.name)
    return tuple(
        Checklist(one["name"], one["source"], one["file"], tuple(_item(topic, report, run) for topic in one["topics"]))
        for one in known
    )


def write_documents(report: Report, run: Path, folder: Path) -> tuple[Checklist, ...]:
    """Write report.md, one Markdown page a guideline and checklists.json into `folder`. Raises DiskError."""
    found = checklists(report, run)
    write_atomic(folder / "report.md", whole(report).encode("utf-8", "replace"))
    for one in found:
        write_atomic(folder / one.file, markdown(one, report).encode("utf-8", "replace"))
    write_json(folder / "checklists.json", [asdict(one) for one in found])
    return found


def markdown(found: Checklist, report: Report) -> str:
    """Return one guideline as Markdown."""
    head = report.headline
    lines = [
        f"# {found.name}: {plain(head.name)}",
        f"Topics of {found.source}, in our own words; use the published form for a submission.",
        f"{found}. Made from the report of {head.date}, fingerprint {head.fingerprint or 'none'}.",
        table(HEAD, [_line(item) for item in found.items]),
    ]
    return "\n\n".join(lines) + "\n"


def _item(topic: dict[str, str], report: Report, run: Path) -> ChecklistItem:
    answer = FILLS[topic["fill"]](report) if "fill" in topic else human(topic["ask"])
    return ChecklistItem(topic["topic"], answer.status, answer.text, *_artefact(answer, run))


def _artefact(answer: Answer, run: Path) -> tuple[str, str]:
    """Return the file that shows an answer and its digest; a judged table of predictions has fewer files than a run."""
    for name in (answer.artefact, "report.json"):
        if answer.artefact and (run / name).is_file():
            return name, hashlib.sha256((run / name).read_bytes()).hexdigest()
    return "", ""


def _line(item: ChecklistItem) -> list[str]:
    shown = f"`{item.artefact}` ({item.digest[:12]})" if item.artefact else ""
    return [*map(plain, (item.topic, item.status, item.text)), shown]
