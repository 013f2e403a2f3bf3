"""A worker process has one thread of linear algebra: workers share the cores, and idle BLAS threads spin."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import pytest

from skinframe.data.worker_pool import ONE_THREAD, chunked_map


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("worker_threads").Asked()


def test_numpy_in_a_worker_has_one_thread(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment asks for, which is as it was afterwards."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    answers = list(chunked_map(asked, range(65), workers=2, carries=asked))
    assert len(answers) == 65
    for variables, threads in answers:
        assert variables == ["1"] * 6
        assert threads
        assert set(threads) == {1}
    assert dict(os.environ) == before


def test_work_in_this_process_changes_no_environment(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    variables, _ = next(iter(chunked_map(asked, [1], workers=1, carries=asked)))
    assert variables[0] == "7"


def test_a_worker_of_a_grid_is_started_with_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from skinframe.grid.engines import local_processes

    started: list[dict[str, str]] = []

    def popen(command: list[str], **options: Any) -> None:
        started.append(options["env"])

    monkeypatch.setattr(local_processes.subprocess, "Popen", popen)  # starting a real one loads torch
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    local_processes.LocalProcesses(workers=2, threads=1, logs=tmp_path)._start(0)
    assert ONE_THREAD.items() <= started[0].items()
    assert started[0]["PATH"] == os.environ["PATH"]
