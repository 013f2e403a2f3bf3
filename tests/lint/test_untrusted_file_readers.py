"""Product code reads files through the guarded readers, and starts processes in one place: by its syntax trees."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# what reads or runs without a limit, and the modules that may: they are the guards, or read what they wrote themselves
GUARDED = {
    "json.loads": {"skinframe/untrusted_files.py"},
    "json.load": set(),
    "yaml.load": {"skinframe/recipe/yaml_text.py"},
    "yaml.safe_load": {"skinframe/recipe/yaml_text.py"},  # of a number that was read, to write it again
    "yaml.full_load": set(),
    "yaml.load_all": set(),
    "OmegaConf.load": set(),
    "OmegaConf.create": set(),
    "OmegaConf.resolve": set(),
    "OmegaConf.merge": {"skinframe/recipe/typed_dataclasses.py"},
    "OmegaConf.to_object": {"skinframe/recipe/typed_dataclasses.py"},
    "torch.load": set(),
    "np.load": set(),
    "numpy.load": set(),
    "pickle.loads": set(),
    "pickle.load": set(),
    "pq.read_table": set(),
    "pq.ParquetFile": {"skinframe/data/safe_parquet.py", "skinframe/data/manifest.py"},
    "subprocess.run": set(),
    "subprocess.check_output": set(),
    "subprocess.Popen": {"skinframe/grid/engines/local_processes.py"},  # its own workers, from sys.executable
    "os.system": set(),
    "os.popen": set(),
    "eval": {"skinframe/signals.py"},  # a module's own annotations
    "exec": set(),
}
# files of the packages themselves, found by importlib.resources or beside the module, and a kit that tests plugins
OWN_FILES = {
    "skinframe/testing/calibrator_laws.py",
    "plugins/skinframe-derm/skinframe_derm/templates/__init__.py",
}


def product_files() -> list[Path]:
    files = [*(ROOT / "skinframe").rglob("*.py"), *(ROOT / "plugins").glob("*/skinframe_*/**/*.py")]
    return [file for file in files if "templates" not in file.parent.name or file.name == "__init__.py"]


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def unguarded(source: str, name: str) -> list[str]:
    """Return the calls in a module's text that are guarded elsewhere, and imports that would hide one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            call = dotted(node.func)
            if call in GUARDED and name not in GUARDED[call] and name not in OWN_FILES:
                found.append(f"{name}:{node.lineno}: {call}; read it with skinframe.untrusted_files")
        if isinstance(node, ast.ImportFrom):
            hidden = {f"{node.module}.{alias.name}" for alias in node.names} & GUARDED.keys()
            found += [f"{name}:{node.lineno}: imports {one}, which hides the call" for one in sorted(hidden)]
    return found


def test_product_code_reads_through_the_guards() -> None:
    files = product_files()
    assert len(files) > 300
    found = [line for file in files for line in unguarded(file.read_text(), file.relative_to(ROOT).as_posix())]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        *(
            "import json\njson.loads(x)",
            "def f():\n    return [yaml.safe_load(p) for p in q]",
            "from json import loads",
        ),
        *("subprocess.run(['git'])", "eval(text)", "import torch\nx = torch.load(path)", "pq.read_table(path)"),
    ],
)
def test_each_call_is_found(source: str) -> None:
    assert unguarded(source, "skinframe/new.py")
