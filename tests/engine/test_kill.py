"""Kill -9 at many moments, resume each time: the end is that of the uninterrupted run, bit for bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Contents = Callable[[Path], dict[str, str]]
Until = Callable[[Path], bool]


def begin(small: Any, environment: dict[str, str], out: Path, *more: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("skinframe")), *small.words(out, *more)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait(process: subprocess.Popen[str], folder: Path, until: Until) -> None:
    deadline = time.monotonic() + 200
    while not until(folder):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.001)


def lines(folder: Path) -> int:
    path = folder / "log.jsonl"
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def there(name: str) -> Until:
    return lambda folder: (folder / name).exists()


def logged(count: int) -> Until:
    return lambda folder: lines(folder) >= count


MOMENTS: list[tuple[str, Until]] = [
    ("in the first epoch", logged(2)),
    ("between a checkpoint and its validation", there("checkpoints/epoch-000")),
    ("in the second epoch", logged(5)),
    ("after the last epoch", there("predictions/valid.parquet")),
]


def test_killed_four_times_ends_bitwise_equal(
    small: Any, environment: dict[str, str], finished: Path, contents: Contents, tmp_path: Path
) -> None:
    folder = tmp_path / finished.name
    for delay, (_, until) in zip((0.0, 0.03, 0.0, 0.01), MOMENTS, strict=True):
        process = begin(small, environment, tmp_path, "--resume")
        wait(process, folder, until)
        time.sleep(delay)
        process.kill()
        process.communicate(timeout=30)
        assert process.returncode == -signal.SIGKILL
    assert not (folder / "metrics.json").exists()
    process = begin(small, environment, tmp_path, "--resume")
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "continuing after epoch" in errors
    assert contents(folder) == contents(finished)


def test_killed_between_the_last_checkpoint_and_its_validation(
    small: Any, finished: Path, contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one gap that a timed kill may miss: the last epoch stands, its figures do not."""
    import skinframe.engine.measure as measure

    real, seen = measure.validate, []

    def gone(*arguments: Any) -> Any:
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(measure, "validate", gone)
        with pytest.raises(KeyboardInterrupt):
            small.run(tmp_path)
    folder = tmp_path / finished.name
    assert (folder / "checkpoints" / "epoch-001").exists()
    assert len(json.loads((folder / "validation.json").read_text())) == 1
    small.run(tmp_path, resume=True)
    assert contents(folder) == contents(finished)


def test_terminated_says_so_and_can_be_resumed(
    small: Any, environment: dict[str, str], finished: Path, contents: Contents, tmp_path: Path
) -> None:
    folder = tmp_path / finished.name
    process = begin(small, environment, tmp_path)
    wait(process, folder, logged(4))
    os.kill(process.pid, signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "--resume" in errors
    assert "Traceback" not in errors
    small.run(tmp_path, resume=True)
    assert contents(folder) == contents(finished)
