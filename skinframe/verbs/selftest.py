"""`skinframe selftest`: find planted faults on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from skinframe.printable_text import say
from skinframe.verbs.command_from_signature import Command

if TYPE_CHECKING:
    from skinframe.running.selftest_trials import SelfTest


def selftest() -> SelfTest:
    """Train on synthetic lesions with planted faults and report whether each was found; about a minute of one core."""
    from skinframe.running.selftest_trials import selftest as run_trials

    return run_trials()


def _print() -> None:
    from skinframe.running.selftest_trials import selftest as run_trials

    found = run_trials(tell=lambda text: print(text, file=sys.stderr, flush=True))
    say(found)
    if not found.ok:
        sys.exit(1)


COMMAND = Command("selftest", selftest, "train on lesions with planted faults; exits 1 if one is missed", _print)
