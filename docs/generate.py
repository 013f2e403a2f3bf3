"""Rewrite the generated parts of the pages: `uv run python docs/generate.py`. A test fails while one is out of date.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; NAME is a function below.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from skinframe_derm.facts import Facts, read_facts

from skinframe import cli, hookspecs, plugins, signals
from skinframe.components import KINDS, Loss
from skinframe.planning.schedule import Schedule
from skinframe.recipe import schema

DOCS = Path(__file__).parent
REGION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    cells = [list(head), *map(list, rows)]
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * len(cells[0]), *lines[1:]])


def first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def signal_table() -> str:
    """Every signal that the engine names."""
    found = [(name, signals.signal_of(value)) for name, value in vars(signals).items()]
    rows = [(f"`{s.name}`", f"`{n}`", f"`[{s.dims}]`", s.kind, s.doc) for n, s in found if s is not None]
    return table(("signal", "annotation", "dims", "kind", "meaning"), rows)


def hook_table() -> str:
    """Every hook, in the order of hookspecs.py."""
    hooks = [(name, value) for name, value in vars(hookspecs).items() if name.startswith("register_")]
    rows = []
    for name, hook in hooks:
        returns = str(hook.__annotations__["return"]).replace("list[type[", "list[type[skinframe.")
        rows.append((f"`{name}()`", f"`{returns}`", first_line(hook)))
    return table(("hook", "returns", "what"), rows)


def component_table() -> str:
    """Every component of the engine and of the first-party plugins."""
    catalog = plugins.load(["cfa", "clip", "derm", "example", "qwen", "tiny"])
    rows = []
    for kind in KINDS:
        for name in catalog.names(kind):
            entry = catalog.entries[kind, name]
            rows.append((kind, f"`{name}`", entry.origin.distribution, first_line(entry.component)))
    return table(("kind", "`use`", "from", "what"), rows)


def loss_table() -> str:
    """The losses of skinframe-cfa: coupling and options with defaults."""
    catalog = plugins.load(["cfa"])
    rows = []
    for name in catalog.names("loss"):
        component = catalog.entries["loss", name].component
        if not issubclass(component, Loss):
            raise TypeError(f"{name} is registered as a loss and is none")
        fields = dataclasses.fields(component.Config)
        options = ", ".join(f"`{field.name}: {field.default}`" for field in fields)
        rows.append((f"`{name}`", component.coupling.replace("_", " "), options or "none"))
    return table(("`use`", "coupling", "options and defaults"), rows)


def dataset_table() -> str:
    """Every data set with an official download: facts of its file in skinframe_derm.sets."""
    rows = []
    for name, facts in dataset_facts().items():
        level = plugins.load(["derm"]).entries["dataset", name].component.level  # type: ignore[attr-defined]
        where = f"[{facts.title}]({facts.page}), {facts.cite}"
        rows_sha256 = f"`{facts.rows_sha256[:16]}`" if facts.rows_sha256 else ""
        rows.append((f"`{name}`", where, f"{facts.images:,}", level, facts.licence, facts.unpack, rows_sha256))
    return table(("`use`", "what", "images", "groups", "licence", "unpack", "SHA-256 of its rows"), rows)


def policy_table() -> str:
    """What each set's columns may be used for."""
    rows = []
    for name, facts in dataset_facts().items():
        policy = facts.columns
        never = ", ".join(f"`{column}`" for column in policy.never)
        shown = ", ".join(f"`{column}`" for column in policy.optional[:2])
        more = f" and {len(policy.optional) - 2} more" if len(policy.optional) > 2 else ""
        option = f" ({shown}{more} by option)" if policy.optional else ""
        asked = ", ".join(f"`{column}`" for column in policy.prompt) or "none"
        rows.append((f"`{name}`", asked + option, ", ".join(f"`{c}`" for c in policy.split), never or "none"))
    return table(("`use`", "prompt", "split only", "never read"), rows)


def taxonomy_table() -> str:
    """Each set's own labels in the shared classes."""
    rows = []
    for name, facts in dataset_facts().items():
        for own, shared in facts.labels.items():
            rows.append((f"`{name}`", own, shared.get("isic8", ""), shared.get("malignancy", "")))
    return table(("`use`", "own label", "`isic8`", "`malignancy`"), rows)


def dataset_facts() -> dict[str, Facts]:
    names = plugins.load(["derm"]).names("dataset")
    return {name: read_facts(name) for name in names if name != "table"}


def recipe_table() -> str:
    """Every key of a recipe's own sections with type and default."""
    rows = []
    for section in ("split", "audit", "images", "train", "select", "evaluate"):
        kind = {"split": schema.Split, "audit": schema.Audit, "images": schema.Images, "train": schema.Train}
        owner = {**kind, "select": schema.Select, "evaluate": schema.Evaluate}[section]
        hints = typing.get_type_hints(owner)
        for field in dataclasses.fields(owner):
            hint = hints[field.name]
            shown = hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
            made = field.default_factory
            default = field.default if made is dataclasses.MISSING else made()
            rows.append((f"`{section}.{field.name}`", f"`{shown}`", f"`{default!r}`"))
    return table(("key", "type", "default"), rows)


def schedule_table() -> str:
    """Every key of a weight's schedule with type and default."""
    hints = typing.get_type_hints(Schedule)
    rows = []
    for field in dataclasses.fields(Schedule):
        hint = hints[field.name]
        shown = hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
        default = "required" if field.default is dataclasses.MISSING else f"`{field.default!r}`"
        rows.append((f"`{field.name}`", f"`{shown}`", default))
    return table(("key", "type", "default"), rows)


def every_verb(parser: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Yield each command with its full name and help, and after it the actions below it."""
    for verbs in (action for action in parser._actions if isinstance(action, argparse._SubParsersAction)):
        helps = {action.dest: action.help or "" for action in verbs._choices_actions}
        for name, verb in verbs.choices.items():
            yield before + name, verb, helps[name]
            yield from every_verb(verb, f"{before}{name} ")


def cli_tables() -> str:
    """Every command with its arguments, read from the parser itself."""
    parts = []
    for name, verb, said in every_verb(cli.parser()):
        rows = []
        for action in verb._actions:
            if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
                continue
            shown = action.option_strings[0] if action.option_strings else action.metavar or action.dest
            value = f" {action.metavar or action.dest.upper()}" if action.option_strings and action.nargs != 0 else ""
            rows.append((f"`{shown}{value}`", (action.help or "").replace("%%", "%")))
        if rows:
            parts.append(
                f"### skinframe {name}\n\n{said[:1].upper()}{said[1:]}.\n\n{table(('argument', 'meaning'), rows)}"
            )
    return "\n\n".join(parts)


def check_tables() -> str:
    """Every check of every kind, in the words of its law."""
    from skinframe.testing.suites import suites

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
    catalog = plugins.load([*plugins.FIRST_PARTY])
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


def excerpt(*sections: str) -> str:
    """Some sections of the main recipe, word for word."""
    text = (DOCS.parent / "recipes" / "cfa_full.yaml").read_text(encoding="utf-8")
    found = re.findall(r"^(\w+):(.*\n(?:(?: .*)?\n)*)", text, re.MULTILINE)
    lines = "".join(f"{key}:{rest.rstrip()}\n" for key, rest in found if key in sections)
    return f"```yaml\n{lines}```"


def recipe_core() -> str:
    return excerpt("data", "encoders", "reasoner", "heads", "losses", "calibrator")


def recipe_losses() -> str:
    return excerpt("losses")


TABLES: dict[str, Callable[[], str]] = {
    function.__name__: function
    for function in (
        signal_table,
        hook_table,
        component_table,
        loss_table,
        dataset_table,
        policy_table,
        taxonomy_table,
        recipe_table,
        schedule_table,
        cli_tables,
        check_tables,
        loss_matrix,
        known_failures,
        recipe_core,
        recipe_losses,
    )
}


def rewritten(text: str) -> str:
    """Return a page with its generated tables made anew. Raises KeyError naming an unknown table."""
    return REGION.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", text)


if __name__ == "__main__":
    for page in (DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))):
        page.write_text(rewritten(page.read_text(encoding="utf-8")), encoding="utf-8")
