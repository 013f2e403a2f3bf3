"""`skinframe compare`: finished runs on the same test samples."""

from __future__ import annotations

import argparse
from pathlib import Path

from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    compare = verbs.add_parser("compare", help="compare finished runs on the same test samples")
    compare.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="run folders")
    compare.set_defaults(verb=_compare)


def _compare(options: argparse.Namespace) -> None:
    from skinframe.finished.rewrite_and_compare import compare_runs
    from skinframe.reporting.terminal import comparison_text

    print(comparison_text(compare_runs(options.runs)))
