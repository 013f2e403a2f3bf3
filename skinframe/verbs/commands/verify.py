"""`skinframe verify`: check the hashes of a run, a checkpoint or a feature cache."""

from __future__ import annotations

import argparse
from pathlib import Path

from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    verify = verbs.add_parser("verify", help="check the hashes of a run, a checkpoint or a feature cache")
    verify.add_argument("place", type=Path, metavar="RUN|CACHE|CHECKPOINT", help="the folder to read back")
    verify.set_defaults(verb=_verify)


def _verify(options: argparse.Namespace) -> None:
    from skinframe.running.verify_files import verify

    print(verify(options.place))
