"""Engines without a cluster: what is said of a wrong or missing one, and what a process on Ray asks for."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from skinframe import cli
from skinframe.grid.engines.ray_cluster import share

SMALL, LARGE, GPUS = {"CPU": 2.0, "memory": 1e9}, {"CPU": 8.0}, {"CPU": 8.0, "GPU": 2.0}


@pytest.mark.parametrize(
    ("nodes", "threads", "asked"),
    [
        ([SMALL], 1, (1, 0.0, 2)),
        ([SMALL], 4, (2, 0.0, 1)),  # all that there are, or Ray would wait without end
        ([SMALL, SMALL, LARGE], 4, (4, 0.0, 2)),  # four CPUs on two nodes hold no process of four
        ([SMALL, LARGE, GPUS], 1, (1, 0.25, 8)),
        ([LARGE, GPUS], 4, (4, 0.25, 2)),
        ([{"CPU": 0.0}, GPUS], 1, (1, 0.25, 8)),
        ([{"memory": 1e9}], 2, (2, 0.0, 1)),  # a head without CPUs, whose workers are still to come
        ([], 2, (2, 0.0, 1)),
    ],
)
def test_what_a_process_asks_for_is_somewhere(
    nodes: list[dict[str, float]], threads: int, asked: tuple[int, float, int]
) -> None:
    assert share(nodes, threads, 0.25) == asked


def refused(small: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str) -> str:
    """Return what is said of the engine when a run is refused before it begins."""
    with pytest.raises(SystemExit) as end:
        cli.main(small.words(tmp_path / "out", "--engine", engine))
    printed = capsys.readouterr()
    assert end.value.code == 2
    assert not printed.out
    assert not (tmp_path / "out").exists()
    return printed.err


def test_an_engine_that_is_none(small: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "rai: no such engine; did you mean 'ray'?" in refused(small, tmp_path, capsys, "rai")


@pytest.mark.parametrize("lacks", ["ray", "ray.data"])
def test_without_ray_or_what_ray_data_needs(
    small: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "RAY_USAGE_STATS_ENABLED"):
        monkeypatch.setenv(name, "token" if name == "RAY_AUTH_MODE" else "0")
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))
    monkeypatch.setitem(sys.modules, lacks, None)
    said = refused(small, tmp_path, capsys, "ray")
    assert "pip install 'skinframe[cluster]', or use --engine local" in said
    assert lacks in said.split("(")[1]
