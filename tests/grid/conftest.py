"""One real grid, made once: two arms, two seeds, one epoch each."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import skinframe

FAULTS = Path(__file__).parents[1] / "faults" / "conftest.py"
spec = importlib.util.spec_from_file_location("faults_conftest", FAULTS)
assert spec is not None
assert spec.loader is not None
faults = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = faults
spec.loader.exec_module(faults)
warm = faults.warm  # the process that forks command lines

QUICK = ("train.epochs=1", "evaluate.resamples=2", "train.gradient_norms_every=50")
OVER = ["losses.alignment"]


@pytest.fixture(scope="session")
def ablated(small: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Return a function that ablates the small recipe in this process."""

    def make(out: Path, *overrides: str, **more: Any) -> Any:
        options = {"over": OVER, "seeds": 2, "workers": 1, "cache": small.cache, "quiet": True, **more}
        return skinframe.ablate(small.recipe, overrides=[*small.overrides, *QUICK, *overrides], out=out, **options)

    return make


@pytest.fixture(scope="session")
def made(ablated: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The finished grid; tests read it and never write to it."""
    return ablated(tmp_path_factory.mktemp("grid"))


@pytest.fixture
def copied(made: Any, tmp_path: Path) -> Path:
    """The folder of its runs, to be damaged."""
    out = tmp_path / "runs"
    shutil.copytree(made.folder.parent, out)
    return out


@pytest.fixture
def words(small: Any) -> Callable[..., list[str]]:
    """Return the same grid as a command line."""

    def make(out: Path, *more: str, verb: str = "ablate", over: str = "losses.alignment") -> list[str]:
        sets = [word for override in (*small.overrides, *QUICK) for word in ("--set", override)]
        places = ["--out", str(out), "--cache", str(small.cache), "--seeds", "2", "--workers", "1"]
        return [verb, str(small.recipe), *sets, *places, *(["--over", over] if over else []), *more]

    return make
