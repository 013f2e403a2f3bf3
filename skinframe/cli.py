"""The command line: parse, call, print. The commands are in `verbs`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from skinframe.errors import SkinframeError
from skinframe.verbs.commands import VERBS


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code; a user's mistake prints one message and no stack trace."""
    # set before torch is imported: threads that wait by spinning are four times slower on a shared machine
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        options.verb(options)
    except SkinframeError as error:
        if options.debug:
            raise
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt as stop:
        print(str(stop) or "interrupted; continue with --resume", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `skinframe list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: object) -> None:
    print("terminated; the last checkpoint is whole, continue with --resume", file=sys.stderr)
    sys.exit(143)


def parser() -> argparse.ArgumentParser:
    """Return the parser; also what the docs are checked against."""
    top = argparse.ArgumentParser(
        prog="skinframe", description="Train, ablate and judge multimodal skin-cancer models from recipes and plugins."
    )
    top.add_argument("--debug", action="store_true", help="show the stack trace of an error")
    verbs = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in VERBS:
        add(verbs)
    return top
