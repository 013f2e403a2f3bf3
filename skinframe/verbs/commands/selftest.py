"""`skinframe selftest`: find planted faults on this machine."""

from __future__ import annotations

import argparse
import sys

from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    test = verbs.add_parser("selftest", help="train on lesions with planted faults and find them; exits 1 otherwise")
    test.set_defaults(verb=_selftest)


def _selftest(options: argparse.Namespace) -> None:
    from skinframe.running.selftest_trials import selftest

    found = selftest(tell=lambda text: print(text, file=sys.stderr, flush=True))
    print(found)
    if not found.ok:
        sys.exit(1)
