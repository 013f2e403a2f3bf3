"""`skinframe report`: a finished run's page, written again."""

from __future__ import annotations

import argparse
from pathlib import Path

from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    report = verbs.add_parser("report", help="write a finished run's report.html again and print its summary")
    report.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    report.add_argument(
        "--csv", type=Path, metavar="FOLDER", help="also write its figures and predictions there, as CSV"
    )
    report.add_argument(
        "--pseudonyms",
        type=Path,
        metavar="KEY",
        help="keyed hashes for ids in page, tables and documents; the key's file is made once",
    )
    report.add_argument(
        "--documents",
        type=Path,
        metavar="FOLDER",
        help="also write report.md, a model card, a data sheet and reporting checklists there",
    )
    report.set_defaults(verb=_report)


def _report(options: argparse.Namespace) -> None:
    from skinframe.finished.rewrite_and_compare import rewrite_report

    print(rewrite_report(options.run, options.csv, options.pseudonyms, options.documents))
