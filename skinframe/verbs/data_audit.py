"""`skinframe data audit`: duplicates, split leaks, label leaks and shifted sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from skinframe.printable_text import say
from skinframe.verbs.command_from_signature import Command, Option
from skinframe.verbs.shared_options import DataOverrides, DataSourceName, Plugins, Presets, Quiet, Workers

if TYPE_CHECKING:
    from skinframe.curating.audit_result import Audit


def audit_data(
    source: DataSourceName,
    *,
    presets: Presets = (),
    overrides: DataOverrides = (),
    plugins: Plugins = (),
    against: Annotated[
        Sequence[str],
        Option(
            "another data set that must share nothing: a recipe file, or NAME,option=value,…; repeatable", "", "OTHER"
        ),
    ] = (),
    accept: Annotated[Sequence[str], Option("accept this finding; repeatable", metavar="NAME")] = (),
    images: Annotated[bool, Option("tables only; do not search for duplicates")] = True,
    encoder: Annotated[str, Option("also compare features of this encoder of the recipe", metavar="NAME")] = "",
    workers: Workers = 2,
    out: Annotated[str | Path, Option("folder of audit.html and audit.json", metavar="FOLDER")] = "audit",
    quiet: Quiet = False,
) -> Audit:
    """Audit a data set, write audit.html and audit.json under `out`, and return the findings; refuses nothing.

    `standing` of the result are the leaks that were not accepted. Raises DataError, RecipeError.
    """
    from skinframe.curating.audit_command import audit
    from skinframe.curating.data_source import other_source, source_of
    from skinframe.progress import Display

    return audit(
        source_of(str(source), presets, overrides, plugins),
        [other_source(other, plugins) for other in against],
        Path(out),
        accept=accept,
        images=images,
        encoder=encoder,
        workers=workers,
        display=Display(quiet),
    )


def _print(**options: Any) -> None:
    found = audit_data(**options)
    from skinframe.curating.audit_command import refuse_leaks
    from skinframe.curating.data_command_text import audit_text

    say(audit_text(found, Path(options["out"])))
    refuse_leaks(found)


COMMAND = Command(
    "data audit",
    audit_data,
    "search for duplicates, split leaks and label leaks; exits 3 unless all are accepted",
    _print,
)
