"""`skinframe new`: an installable plugin project for a new component."""

from __future__ import annotations

import argparse
from pathlib import Path

from skinframe.components import KINDS
from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    new = verbs.add_parser("new", help="write an installable plugin project: one module, its contract test, a README")
    new.add_argument("kind", metavar="KIND", help=f"one of {', '.join(KINDS)}")
    new.add_argument("name", metavar="NAME", help="the word that recipes will use, for example my_loss")
    new.add_argument("--into", type=Path, default=Path(), metavar="FOLDER", help="write it there (default: here)")
    new.set_defaults(verb=_new)


def _new(options: argparse.Namespace) -> None:
    from skinframe.scaffold import write

    folder, name = write(options.kind, options.name, options.into), options.name
    print(f"{folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
    print(f"  check    skinframe check {folder / name}.py")
    print(f"  try      skinframe run RECIPE --plugin {folder / name}.py")
    print(f"  install  pip install -e {folder}")
