"""The errors that a user can cause, and the exit code of each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where (a dotted path, a file, a line), what, and what to do about it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class SkinframeError(Exception):
    """Base of every error with one clear message; `exit_code` is what the process ends with."""

    exit_code = 1


class NotWholeError(SkinframeError):
    """What was verified is damaged, or what was reproduced differs; the message names the files."""


class RecipeError(SkinframeError):
    """The recipe or the plan is invalid; carries every problem, not only the first."""

    exit_code = 2

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n".join([f"{source}: {count}", *(f"  {problem}" for problem in self.problems)]))


class DataError(SkinframeError):
    """A data set, image, label or split is not usable."""

    exit_code = 3


class NonFiniteError(SkinframeError):
    """A loss, gradient or feature is not finite; the message names the term and the samples."""

    exit_code = 4


class DiskError(SkinframeError):
    """The disk is full or not writable; files that were complete before are kept."""

    exit_code = 5


class BusyError(SkinframeError):
    """Another live process holds the run folder or the cache."""

    exit_code = 6


class WorkerError(SkinframeError):
    """A process elsewhere met an error; exits as that process would have."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class MissingRunsError(SkinframeError):
    """Runs of a grid are missing, so there is no comparison; the exit code is that of the first failed run."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest known word, or the known words when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; known: {', '.join(names)}" if names else ""
