"""`skinframe show`: one component, its options and where it comes from."""

from __future__ import annotations

import argparse
from pathlib import Path

from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    show = verbs.add_parser("show", help="show a component: options with types and defaults, docs, origin")
    show.add_argument("component", metavar="COMPONENT", help="a registered name, for example focal")
    show.add_argument("--plugin", action="append", default=[], metavar="FILE", help="also load this one-file plugin")
    show.set_defaults(verb=_show)


def _show(options: argparse.Namespace) -> None:
    from skinframe.inventory import describe

    print(describe(options.component, [Path(file) for file in options.plugin]))
