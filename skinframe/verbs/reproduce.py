"""`skinframe reproduce`: rerun a finished run from its own folder and compare every file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from skinframe.verbs.command_from_signature import Command, Option
from skinframe.verbs.shared_options import Quiet, Run, RunPlugins

if TYPE_CHECKING:
    from skinframe.finished.reproduce_run import Reproduced


def reproduce(
    run: Run,
    *,
    out: Annotated[
        str | Path | None, Option("parent of the new run (default: reproduced, beside RUN)", metavar="FOLDER")
    ] = None,
    cache: Annotated[
        str | Path | None, Option("feature cache (default: OUT/.cache, computed anew)", metavar="FOLDER")
    ] = None,
    plugins: RunPlugins = (),
    quiet: Quiet = False,
) -> Reproduced:
    """Rerun a finished run and compare every file. Raises NotWholeError where one differs, RecipeError."""
    from skinframe.finished.reproduce_run import reproduce as rerun
    from skinframe.progress import Display

    folder, kept = (Path(place) if place is not None else None for place in (out, cache))
    return rerun(Path(run), folder, kept, [Path(file) for file in plugins], Display(quiet))


COMMAND = Command("reproduce", reproduce, "rerun a finished run from its own folder and compare the files")
