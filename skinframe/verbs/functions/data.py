"""Look at data before a run does.

Each function imports what it needs when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skinframe.curating.finding import Audit
    from skinframe.data.group_split import Split

Paths = Sequence[str | Path]


def audit_data(
    source: str | Path,
    *,
    against: Sequence[str] = (),
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    accept: Sequence[str] = (),
    images: bool = True,
    encoder: str = "",
    workers: int = 2,
    plugins: Paths = (),
    out: str | Path = "audit",
    quiet: bool = False,
) -> Audit:
    """Audit a data set, write audit.html and audit.json under `out`, and return what was found; refuses nothing.

    The arguments are those of `skinframe data audit`; `standing` of the result are the leaks that stand.
    Raises DataError, RecipeError.
    """
    from skinframe.curating.audit_verbs import audit
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


def split_data(
    source: str | Path,
    out: str | Path = "split.json",
    *,
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    images: bool = True,
    workers: int = 2,
    plugins: Paths = (),
    quiet: bool = False,
) -> Split:
    """Make the split of a data set, freeze it in `out` for `split.file`, and return it. Raises DataError."""
    from skinframe.curating.audit_verbs import freeze
    from skinframe.curating.data_source import source_of
    from skinframe.progress import Display

    made = source_of(str(source), presets, overrides, plugins)
    return freeze(made, Path(out), images=images, workers=workers, display=Display(quiet))[0]
