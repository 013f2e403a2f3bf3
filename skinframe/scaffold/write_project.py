"""Writes the project: a folder with pyproject.toml, README, one module and its contract test."""

from __future__ import annotations

import importlib.util
import keyword
import re
import shutil
import tempfile
from pathlib import Path

from skinframe.components import KINDS
from skinframe.errors import DiskError, Problem, RecipeError, did_you_mean
from skinframe.installed_components import registered
from skinframe.plugins import installed

TEMPLATES = Path(__file__).parent / "templates"
PLAIN = re.compile(r"[a-z][a-z0-9_]*")
LONGEST = 60


def write(kind: str, name: str, into: Path) -> Path:
    """Write the project of a new component into `into/name` and return that folder.

    Raises RecipeError for an unknown kind, a name that cannot be one or is taken, and a folder that exists; DiskError
    where it cannot be written, and then nothing is left behind.
    """
    folder = into / name
    problem = _kind_problem(kind) or _name_problem(kind, name) or _folder_problem(folder)
    if problem:
        raise RecipeError("new", [problem])
    try:
        with tempfile.TemporaryDirectory(dir=into, prefix=f".{name}-") as draft:
            whole = Path(draft) / name
            whole.mkdir()
            for source in sources(kind):
                text = worded(source.read_text(encoding="utf-8"), kind, name)
                (whole / worded(source.name, kind, name)).write_text(text, encoding="utf-8")
            shutil.move(whole, folder)
    except OSError as error:
        raise DiskError(f"new: {folder} cannot be written: {error.strerror or error}") from error
    return folder


def sources(kind: str) -> list[Path]:
    """Return the templates of a kind's project, in the order in which one reads them."""
    own = TEMPLATES / kind
    readme = own / "README.md"  # of a kind that a recipe uses in another way than by `use`
    common = [readme if readme.exists() else TEMPLATES / "README.md", TEMPLATES / "pyproject.toml"]
    return [*common, own / "my_name.py", own / "test_my_name.py"]


def worded(text: str, kind: str, name: str) -> str:
    """Put the component's name, its class's name and its kind where the template has `my_name`, `MyName` and `KIND`."""
    words = "".join(word.capitalize() for word in name.split("_"))
    return text.replace("my_name", name).replace("MyName", words).replace("KIND", kind)


def _kind_problem(kind: str) -> Problem | None:
    return None if kind in KINDS else Problem("kind", f"there is no kind '{kind}'{did_you_mean(kind, KINDS)}")


def _name_problem(kind: str, name: str) -> Problem | None:
    if not PLAIN.fullmatch(name) or len(name) > LONGEST or keyword.iskeyword(name):
        rule = f"at most {LONGEST} lower-case letters, digits and underscores, a letter first, and no word of Python"
        return Problem("name", f"'{name}' must be {rule}")
    plugins = installed()
    if name in plugins:
        return Problem("name", f"a plugin '{name}' is installed ({plugins[name].origin}); take another name")
    origin = registered(kind, name)
    if origin is not None:
        return Problem("name", f"a {kind} '{name}' is registered by {origin}; take another name")
    if importlib.util.find_spec(name) is not None:
        return Problem("name", f"a Python module '{name}' exists here and would be hidden; take another name")
    return None


def _folder_problem(folder: Path) -> Problem | None:
    if folder.exists() or folder.is_symlink():
        return Problem(str(folder), "exists already; take another name, or another place with --into FOLDER")
    if not folder.parent.is_dir():
        return Problem(str(folder.parent), "is not a folder; make it first, or name another with --into FOLDER")
    return None
