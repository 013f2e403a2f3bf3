"""SKINFRAME_CACHE holds for the Python functions and the command line alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import skinframe
from skinframe.cli import main
from skinframe.verbs.shared_options import CACHE, cache_folder


def test_a_given_folder_comes_first_then_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CACHE, raising=False)
    assert cache_folder(None) is None
    assert cache_folder("given") == Path("given")
    monkeypatch.setenv(CACHE, "named")
    assert cache_folder(None) == Path("named")
    assert cache_folder("given") == Path("given")
    monkeypatch.setenv(CACHE, "")
    assert cache_folder(None) is None


@pytest.fixture
def caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Record the feature cache of each run and grid in place of making them; the variable names one."""
    import skinframe.grid.ablation_sweep_curve as questions
    import skinframe.running.run_recipe as run_recipe

    seen: list[Path] = []

    def run(plan: Any, *, cache: Path, **options: Any) -> str:
        seen.append(cache)
        return "recorded"

    def perform(grid: Any, settings: Any, display: Any) -> Any:
        seen.append(Path(grid.items[0].cache))
        return "recorded"

    monkeypatch.setattr(run_recipe, "run", run)
    monkeypatch.setattr(questions, "perform", perform)
    monkeypatch.setenv(CACHE, str(tmp_path / "shared cache"))
    return seen


def test_run_takes_it_in_python_and_in_the_command_line(small: Any, caches: list[Path], tmp_path: Path) -> None:
    skinframe.run(small.recipe, overrides=small.overrides, out=tmp_path)
    main(["run", str(small.recipe), "--set", small.overrides[0], "--out", str(tmp_path)])
    skinframe.run(small.recipe, overrides=small.overrides, out=tmp_path, cache=tmp_path / "own")
    assert caches == [tmp_path / "shared cache", tmp_path / "shared cache", tmp_path / "own"]


def test_without_it_the_cache_is_under_the_runs(
    small: Any, caches: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CACHE)
    skinframe.run(small.recipe, overrides=small.overrides, out=tmp_path)
    assert caches == [tmp_path / ".cache"]


def test_a_grid_takes_it(small: Any, caches: list[Path], tmp_path: Path) -> None:
    skinframe.ablate(small.recipe, over=["losses.alignment"], seeds=2, overrides=small.overrides, out=tmp_path)
    assert caches == [tmp_path / "shared cache"]
