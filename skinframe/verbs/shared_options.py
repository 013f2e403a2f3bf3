"""Options that several verbs share, and where the feature cache is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from skinframe.verbs.command_from_signature import Option

CACHE = "SKINFRAME_CACHE"  # environment variable that names the feature cache

RecipeFile = Annotated[str | Path, Option("recipe file, or the name of one such as cfa_full", metavar="RECIPE")]
Run = Annotated[str | Path, Option("run folder", metavar="RUN")]
Presets = Annotated[
    Sequence[str], Option("apply a preset on top of the recipe; repeatable, in order", "--preset", "NAME")
]
Overrides = Annotated[
    Sequence[str], Option("override one value of the recipe, after the presets; repeatable", "--set", "PATH=VALUE")
]
Without = Annotated[Sequence[str], Option("disable a component; repeatable", metavar="KIND.NAME")]
Plugins = Annotated[Sequence[str | Path], Option("load a one-file plugin; repeatable", "--plugin", "FILE")]
RunPlugins = Annotated[Sequence[str | Path], Option("one-file plugin of the run; repeatable", "--plugin", "FILE")]
RunsFolder = Annotated[str | Path, Option("parent of the run folders", metavar="FOLDER")]
Cache = Annotated[
    str | Path | None, Option(f"feature cache (default: ${CACHE} if set, else OUT/.cache)", metavar="FOLDER")
]
Metrics = Annotated[Sequence[str], Option("compute a further metric; repeatable", "--metric", "NAME")]
Workers = Annotated[int, Option("processes that read images")]
DataSourceName = Annotated[str | Path, Option("recipe, or the name of a data set such as ham10000", metavar="SOURCE")]
DataOverrides = Annotated[
    Sequence[str],
    Option("override one value, such as data.config.root=FOLDER or split.folds=5; repeatable", "--set", "PATH=VALUE"),
]
Quiet = Annotated[bool, Option("show no progress")]


def cache_folder(given: str | Path | None) -> Path | None:
    """Return the feature cache that was given, else that of SKINFRAME_CACHE, else None."""
    chosen = given or os.environ.get(CACHE)
    return Path(chosen) if chosen else None
