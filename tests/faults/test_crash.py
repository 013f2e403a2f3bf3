"""A. Killed at any moment, resumed: the end is that of the uninterrupted run, bit for bit."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the call recorder reads Linux's /proc")
KILLS = 50


def same(tiny: Any, out: Path, whole: Any) -> None:
    found = tiny.contents(out)
    assert found == whole.files, sorted(set(found.items()) ^ set(whole.files.items()))[:6]


def kill_until(tiny: Any, out: Path, whole: Any, kills: int, draw: random.Random, fresh: int = 0) -> int:
    """Kill a run again and again at random moments, resume until it ends, begin another; return how many ended."""
    done, ended = 0, 0
    while done < kills:
        pid, log = tiny.warm.start(tiny.words(out / str(ended + fresh), "--resume"))
        code = tiny.warm.ended(pid, draw.uniform(0.02, 1.0) * whole.seconds)
        if code is None:
            os.kill(pid, signal.SIGKILL)
            code = tiny.warm.wait(pid)
        if code == -signal.SIGKILL:
            done += 1
            continue
        assert code == 0, log.read_text()
        same(tiny, out / str(ended + fresh), whole)
        ended += 1
    code, said = tiny.run(out / str(ended + fresh), "--resume")
    assert code == 0, said
    same(tiny, out / str(ended + fresh), whole)
    return ended + 1


@pytest.mark.timeout(7200)  # two minutes for fifty where nobody else computes
@pytest.mark.parametrize("kills", [6, pytest.param(50, marks=pytest.mark.nightly)])
@pytest.mark.gate("A1")
def test_a1_killed_at_random_moments(tiny: Any, whole: Any, tmp_path: Path, kills: int) -> None:
    assert kill_until(tiny, tmp_path, whole, kills, random.Random(6)) >= 1


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_a1_fifty_runs_each_killed_once(tiny: Any, whole: Any, tmp_path: Path) -> None:
    draw = random.Random(61)
    for turn in range(KILLS):
        kill_until(tiny, tmp_path, whole, 1, draw, fresh=1000 * turn)


def points(calls: list[dict[str, str]], area: str, names: tuple[str, ...]) -> list[str]:
    """Return the fault points of a part of the run: before, after and in the middle of each of its calls."""
    seen: Counter[str] = Counter()
    found = []
    for call in calls:
        if call["area"] == area and call["call"] in names:
            seen[call["call"]] += 1
            name = f"{area}.{call['call']}:{seen[call['call']]}"
            found += [f"{action}@{name}" for action in ("kill", "kill-after")]
            found += [f"half@{name}"] if call["call"] == "write" else []
    return found


def first_save(whole: Any) -> int:
    """Return how many calls of the area the first save makes."""
    own = [call for call in whole.calls if call["area"] == "ckpt"]
    return next(i for i, call in enumerate(own) if call["call"] == "rename") + 2  # and the parent's fsync


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.nightly)])
@pytest.mark.gate("A2")
def test_a2_every_fault_point_of_a_checkpoint(tiny: Any, whole: Any, tmp_path: Path, step: int) -> None:
    """One run is killed at each in turn; each start makes its first save, so the point is met every time."""
    own = [call for call in whole.calls if call["area"] == "ckpt"][: first_save(whole)]
    armed = points(own, "ckpt", ("write", "fsync", "rename", "mkdir"))
    assert len(armed) >= 25
    armed = armed[::step]
    armed += ["kill@ckpt.rename:2", "kill-after@ckpt.rename:2"]  # on the way out: the part that the new one overtakes
    met, turn = 0, 0
    for fault in armed:
        code, said = tiny.run(tmp_path / str(turn), "--resume", fault=fault)
        if code == 0:  # the run ended before it saved again: the point is met in the next run
            same(tiny, tmp_path / str(turn), whole)
            turn += 1
            code, said = tiny.run(tmp_path / str(turn), "--resume", fault=fault)
        assert code == -signal.SIGKILL, (fault, said)
        met += 1
    code, said = tiny.run(tmp_path / str(turn), "--resume")
    assert code == 0, said
    assert met == len(armed)
    same(tiny, tmp_path / str(turn), whole)
    assert not list(tmp_path.rglob("*.tmp-*"))


@pytest.mark.nightly
def test_a4_killed_during_evaluation(tiny: Any, whole: Any, tmp_path: Path) -> None:
    """Every file of the evaluation is absent or complete, and the end is the same."""
    armed = points(whole.calls, "eval", ("write", "rename"))
    assert len(armed) >= 20
    for fault in armed[::3]:
        code, said = tiny.run(tmp_path, "--resume", fault=fault)
        assert code == -signal.SIGKILL, (fault, said)
        folder = tiny.folder(tmp_path)
        for name in ("metrics.json", "report.json"):
            if (folder / name).exists():
                json.loads((folder / name).read_text())
    code, said = tiny.run(tmp_path, "--resume")
    assert code == 0, said
    same(tiny, tmp_path, whole)


def steps(out: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in out.glob("small-*/log.jsonl"))


def started(tiny: Any, out: Path, at_step: int) -> tuple[int, Path]:
    pid, log = tiny.warm.start(tiny.words(out, "--resume"))
    while steps(out) < at_step:
        assert tiny.warm.ended(pid, 0.002) is None, log.read_text()
    return pid, log


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a5_a_signal_ends_at_a_step_boundary(
    tiny: Any, whole: Any, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    pid, log = started(tiny, tmp_path, 14)
    os.kill(pid, sent)
    assert tiny.warm.wait(pid) == code, log.read_text()
    said = log.read_text()
    assert f"{sent.name}: finishing the step" in said
    assert "is complete; continue with --resume" in said
    assert "Traceback" not in said
    newest = sorted((tiny.folder(tmp_path) / "checkpoints").iterdir())[-1]
    state = json.loads((newest / "state.json").read_text())
    assert state["step"] == steps(tmp_path)  # nothing that was trained is lost
    assert tiny.run(tmp_path, "--resume")[0] == 0
    same(tiny, tmp_path, whole)


def test_a5_a_second_signal_ends_at_once(tiny: Any, whole: Any, tmp_path: Path) -> None:
    pid, log = started(tiny, tmp_path, 14)
    os.kill(pid, signal.SIGINT)
    while "finishing the step" not in log.read_text():
        if tiny.warm.ended(pid, 0.0) is not None:
            pytest.skip("the step ended before the second signal could be sent")
    began = time.monotonic()
    os.kill(pid, signal.SIGINT)
    code = tiny.warm.wait(pid)
    assert time.monotonic() - began < 2
    assert code in (-signal.SIGINT, 130)  # the kernel's own end, or the checkpoint was done first
    assert tiny.run(tmp_path, "--resume")[0] == 0
    same(tiny, tmp_path, whole)


@pytest.mark.nightly
@pytest.mark.parametrize("workers", ["0", "2", "4"])
def test_a6_resume_inside_an_epoch_whatever_the_workers(tiny: Any, whole: Any, tmp_path: Path, workers: str) -> None:
    count = f"images.workers={max(1, int(workers))}"
    code, _ = tiny.run(tmp_path, "--resume", "--set", count, fault="kill@ckpt.rename:2", few="10")
    assert code == -signal.SIGKILL
    code, said = tiny.run(tmp_path, "--resume", "--set", count, few="10")
    assert code == 0, said
    found = tiny.contents(tmp_path)
    differs = {name for name in whole.files if found.get(name) != whole.files[name]}
    assert differs <= {"plan.yaml"}  # it names the number of workers, which decides no number
