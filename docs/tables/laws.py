"""Laws, and which component keeps which, as its contract tests have it."""

from __future__ import annotations

from skinframe import plugins
from tables.text import table


def check_tables() -> str:
    """Every check of every kind, in the words of its law."""
    from skinframe.testing.contract_decorators import suites

    parts = []
    for kind, suite in suites().items():
        rows = [(f"`{law.name}`", law.number, law.says) for law in suite.laws]
        numbered = any(law.number for law in suite.laws)
        head = ("check", "law", "what holds") if numbered else ("check", "what holds")
        shown = rows if numbered else [(name, says) for name, _, says in rows]
        parts.append(f"### {kind}\n\n{table(head, shown)}")
    return "\n\n".join(parts)


def loss_matrix() -> str:
    """Every registered loss and every law, as its contract tests have it."""
    from collect_contracts import rows

    laws = ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I10", "I11", "I12")
    catalog = plugins.load(plugins.installed())
    tested = [row for row in rows() if row.kind in ("loss", "function")]
    lines = []
    for name in catalog.names("loss"):
        own = [row for row in tested if name in row.names]
        by_law = [[row for row in own if row.number == law] for law in laws]
        marks = ["✗" if any(row.reason for row in found) else "✓" if found else "·" for found in by_law]
        coupling = catalog.entries["loss", name].component.coupling.replace("_", " ")  # type: ignore[attr-defined]
        options = len({row.title for row in own if row.kind == "loss"})
        lines.append((f"`{name}`", coupling, *marks, str(options)))
    return table(("loss", "coupling", *laws, "options tested"), lines)


def known_failures() -> str:
    """Every check that a component is declared to fail, with the reason."""
    from collect_contracts import rows

    found = sorted({(row.kind, row.title, row.check, row.reason) for row in rows() if row.reason})
    return table(("kind", "component", "check", "reason"), [(k, f"`{t}`", f"`{c}`", r) for k, t, c, r in found])
