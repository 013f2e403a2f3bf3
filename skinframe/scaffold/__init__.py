"""`skinframe new`: a plugin project for a new component, written from the files in `templates`."""

from __future__ import annotations

from skinframe.scaffold.write_project import write

__all__ = ["write"]
