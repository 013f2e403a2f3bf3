"""`skinframe reproduce`: a finished run, made again and compared."""

from __future__ import annotations

import argparse
from pathlib import Path

from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    again = verbs.add_parser("reproduce", help="make a finished run again from its own folder and compare the files")
    again.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    again.add_argument("--out", type=Path, help="where the new run goes (default: reproduced, beside RUN)")
    again.add_argument("--cache", type=Path, help="feature cache (default: OUT/.cache, made anew)")
    again.add_argument("--plugin", action="append", default=[], metavar="FILE", help="one-file plugin of the run")
    again.set_defaults(verb=_reproduce)


def _reproduce(options: argparse.Namespace) -> None:
    from skinframe.finished.reproduce_run import reproduce

    print(reproduce(options.run, options.out, options.cache, [Path(file) for file in options.plugin]))
