"""Verbs: commands of a plugin, in the command line and as functions."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import MISSING, field
from typing import Any, ClassVar

from skinframe.components.base import Component


class Verb(Component):
    """A command: `skinframe NAME` in the command line and `skinframe.verb("NAME", option=value)` in Python.

    The fields of `Config` are its options, made with `option`: a field without default is a positional argument, any
    other is `--field-name`. Types are str, int, float, bool (a flag), Path, a Literal (choices), each of them or None,
    and a tuple of one of them (an option that may be repeated).
    """

    kind = "verb"
    help: ClassVar[str]  # one line for `skinframe --help`

    @abstractmethod
    def run(self) -> object:
        """Run with the options in `self.config`; return the function's value, which the command line prints.

        Nothing is printed for None. Raises a SkinframeError for whatever a user can cause.
        """


def option(default: Any = MISSING, *, help: str, metavar: str = "") -> Any:
    """Return a field of a verb's options with its line in `--help`; without a default it is a positional argument."""
    return field(default=default, metadata={"help": help, "metavar": metavar})
