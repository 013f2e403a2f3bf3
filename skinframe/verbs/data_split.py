"""`skinframe data split`: the frozen split of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from skinframe.verbs.command_from_signature import Command, Option
from skinframe.verbs.shared_options import DataOverrides, DataSourceName, Plugins, Presets, Quiet, Workers

if TYPE_CHECKING:
    from skinframe.components import Dataset
    from skinframe.data.group_split import Split
    from skinframe.sample import Sample


def split_data(
    source: DataSourceName,
    out: Annotated[str | Path, Option("file of the split", "--out", "FILE")] = "split.json",
    *,
    presets: Presets = (),
    overrides: DataOverrides = (),
    plugins: Plugins = (),
    images: Annotated[bool, Option("do not search for near-duplicates to keep in one part")] = True,
    workers: Workers = 2,
    quiet: Quiet = False,
) -> Split:
    """Make the split of a data set, write it to `out` for `split.file`, and return it. Raises DataError."""
    return _freeze(source, out, presets, overrides, plugins, images, workers, quiet)[1]


def _text(*, out: str, **options: Any) -> str:
    from skinframe.curating.data_command_text import split_text

    dataset, split, samples = _freeze(out=out, **options)
    return split_text(split, samples, dataset, Path(out))


def _freeze(
    source: str | Path,
    out: str | Path,
    presets: Sequence[str],
    overrides: Sequence[str],
    plugins: Sequence[str | Path],
    images: bool,
    workers: int,
    quiet: bool,
) -> tuple[Dataset, Split, Sequence[Sample]]:
    from skinframe.curating.audit_command import freeze
    from skinframe.curating.data_source import source_of
    from skinframe.progress import Display

    made = source_of(str(source), presets, overrides, plugins)
    return made.dataset, *freeze(made, Path(out), images=images, workers=workers, display=Display(quiet))


COMMAND = Command("data split", split_data, "make the split of a data set and save it in a file for split.file", _text)
