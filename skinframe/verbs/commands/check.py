"""`skinframe check`: a plugin against the contract of its kinds."""

from __future__ import annotations

import argparse
import sys

from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    check = verbs.add_parser("check", help="hold a plugin to the contracts of its kinds; exits 1 where a check fails")
    check.add_argument("plugin", metavar="PLUGIN", help="an installed plugin, its distribution, or a Python file")
    check.add_argument("name", nargs="?", metavar="NAME", help="one component of it")
    check.set_defaults(verb=_check)


def _check(options: argparse.Namespace) -> None:
    from skinframe.checking import verdict

    found = verdict(options.plugin, options.name, tell=lambda judged: print(f"{judged}\n", flush=True))
    print(found.summary)
    if not found.ok:
        sys.exit(1)
