"""`skinframe data show`: what a data set is."""

from __future__ import annotations

from skinframe.verbs.command_from_signature import Command
from skinframe.verbs.shared_options import DataOverrides, DataSourceName, Plugins, Presets


def show_data(
    source: DataSourceName, *, presets: Presets = (), overrides: DataOverrides = (), plugins: Plugins = ()
) -> str:
    """Return a data set's classes, fields, groups and what is missing on this machine, as text. Raises RecipeError."""
    from skinframe.curating.data_command_text import shown
    from skinframe.curating.data_source import source_of

    return shown(source_of(str(source), presets, overrides, plugins))


COMMAND = Command("data show", show_data, "show a data set: classes, fields, groups, what is missing on this machine")
