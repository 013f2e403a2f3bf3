"""The command line: parse, call, print. Every command is a verb of `skinframe.verbs` or of a plugin."""

from __future__ import annotations

import argparse
import io
import logging
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from skinframe.errors import SkinframeError
from skinframe.printable_text import printable
from skinframe.verbs.command_from_signature import Command
from skinframe.verbs.plugin_verbs import PluginCommand

# modules of skinframe.verbs, in the order of the help
MODULES = (
    *("run", "plan", "list_plugins", "show", "new", "check", "report", "compare", "ablate", "sweep", "learning_curve"),
    *("evaluate", "predict", "verify", "reproduce", "selftest", "data_show", "data_audit", "data_split"),
)
GROUPS = {"data": "show, audit or split a data set"}
PLUGIN = "--plugin"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code; an error that a user can cause prints one message and no stack trace."""
    # set before torch is imported: threads that wait by spinning are four times slower on a shared machine
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a letter gets its number
            stream.reconfigure(errors="backslashreplace")
    logging.getLogger("skinframe").addHandler(handler := _EscapingHandler())
    try:
        options = parser(words).parse_args(words)
        signal.signal(signal.SIGTERM, lambda number, frame: _terminate(words))
        if hasattr(options, "plugins"):
            options.plugins = [*(options.files or []), *options.plugins]
        options.command.run(options)
    except SkinframeError as error:
        if "--debug" in words:
            raise
        print(printable(str(error)), file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt as stop:
        print(str(stop) or f"interrupted; {_how_to_continue(words)}", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `skinframe list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        logging.getLogger("skinframe").removeHandler(handler)


class _EscapingHandler(logging.StreamHandler[Any]):
    """Warnings to the standard error as it is at that moment; control and right-to-left characters are escaped."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setLevel(logging.WARNING)

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def _terminate(words: Sequence[str]) -> None:
    print(f"terminated; {_how_to_continue(words)}", file=sys.stderr)
    sys.exit(143)


def _how_to_continue(words: Sequence[str]) -> str:
    """Say how a stopped command goes on, naming only options that it has."""
    command = _command_and_files(words)[0]
    if command == "run":
        return "the same command with --resume continues from the last checkpoint, or begins anew where there is none"
    if command in ("ablate", "sweep", "learning-curve"):
        return "the same command continues: completed runs are not repeated"
    return "run the command again"


def parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of `words`; without any, that of every built-in command, which the docs are checked against.

    Plugins are imported only where the command is not built in. Raises RecipeError for a plugin file that fails.
    """
    top = argparse.ArgumentParser(
        prog="skinframe",
        description="Train, ablate and judge multimodal skin-cancer models from recipes and plugins.",
        epilog="Plugins can add commands; `skinframe list --all` shows them.",
    )
    top.add_argument("--debug", action="store_true", help="show the stack trace of an error")
    top.add_argument(PLUGIN, action="append", metavar="FILE", dest="files", help="load a one-file plugin; repeatable")
    built_in: list[Command | PluginCommand] = [import_module(f"skinframe.verbs.{name}").COMMAND for name in MODULES]
    command, files = _command_and_files(words)
    if command and command not in {known.name.split(" ")[0] for known in built_in}:
        from skinframe.verbs.plugin_verbs import plugin_verbs

        own = [PluginCommand(verb) for verb in plugin_verbs(files).values()]
        names = {known.name.split(" ")[0] for known in built_in}
        built_in += [added for added in own if added.name not in names]
    _add_commands(top, built_in)
    return top


def _add_commands(top: argparse.ArgumentParser, commands: Iterable[Command | PluginCommand]) -> None:
    verbs = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    groups = {}
    for command in commands:
        group, _, action = command.name.rpartition(" ")
        if group and group not in groups:
            actions = verbs.add_parser(group, help=GROUPS[group], description=_sentence(GROUPS[group]))
            groups[group] = actions.add_subparsers(title="actions", required=True, metavar="ACTION", help="see below")
        parent = groups[group] if group else verbs
        verb = parent.add_parser(action, help=command.help, description=_sentence(command.help))
        command.add_to(verb)
        if isinstance(command, PluginCommand):
            verb.add_argument(PLUGIN, action="append", metavar="FILE", dest="files", help="load a one-file plugin")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _command_and_files(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the first word that is no option, and every plugin file that is named."""
    command, files, rest = "", [], iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if name == PLUGIN:
            files.append(value if equals else next(rest, ""))
        elif not command and not word.startswith("-"):
            command = word
    return command, files
