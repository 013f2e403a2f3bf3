"""Every command with its arguments, read from the parser itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from skinframe import cli
from tables.text import table


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
