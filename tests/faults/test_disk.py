"""B3, B4. A disk that is full, over quota or read-only: exit 5, the old checkpoint whole, nothing half left."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import skinframe.atomic_write as durable
from skinframe.errors import DiskError

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the call recorder reads Linux's /proc")
SAVE = [f"ENOSPC@ckpt.write:{n}" for n in (1, 2, 3, 4, 5, 6)]
SAVE += [
    "ENOSPC@ckpt.mkdir:2",
    "ENOSPC@ckpt.fsync:3",
    "ENOSPC@ckpt.rename:1",
    "EDQUOT@ckpt.write:2",
    "EROFS@ckpt.write:1",
]
ELSEWHERE = ["ENOSPC@trial.write:2", "ENOSPC@eval.write:4", "EIO@eval.fsync:2"]


@pytest.mark.nightly
def test_b3_a_save_that_finds_no_room(tiny: Any, whole: Any, tmp_path: Path) -> None:
    """One run fails at each point in turn, and then ends as if nothing had been."""
    for fault in [ELSEWHERE[0], *SAVE, *ELSEWHERE[1:]]:
        before = {path.name for path in tmp_path.glob("*/checkpoints/epoch-*")}
        code, said = tiny.run(tmp_path, "--resume", fault=fault)
        assert code == 5, (fault, said)
        assert "free space or choose another folder with --out" in said
        assert "Traceback" not in said
        folder = tiny.folder(tmp_path)
        assert not list(folder.rglob("*.tmp-*")), fault
        assert not (folder / "trial").exists()
        now = sorted(folder.glob("checkpoints/epoch-*"))
        assert before <= {path.name for path in now} or fault in ELSEWHERE, fault
        assert [durable.damage_in(path) for path in now] == [None] * len(now), fault
    code, said = tiny.run(tmp_path, "--resume")
    assert code == 0, said
    assert tiny.contents(tmp_path) == whole.files


@pytest.mark.parametrize("fault", ["ENOSPC@ckpt.write:2", "ENOSPC@ckpt.rename:1"])
@pytest.mark.gate("B3")
def test_b3_a_checkpoint_that_finds_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """The small version that every default run makes: one write and one rename."""
    import torch
    from faults_shim import install

    from skinframe.train.checkpoint import newest_checkpoint, save_checkpoint

    folder = tmp_path / "checkpoints"
    tensors = {"model": {"w": torch.ones(3)}}
    state = {"step": 1, "tokens": 1, "log_bytes": 1, "ties": {}}
    older = save_checkpoint(folder, 0, tensors, state, position=1)
    with monkeypatch.context() as patch:
        install(None, fault, patch.setattr)
        with pytest.raises(DiskError, match="free space or choose another folder with --out") as found:
            save_checkpoint(folder, 0, tensors, state)
    assert found.value.exit_code == 5
    assert [path.name for path in folder.iterdir()] == [older.folder.name]
    newest = newest_checkpoint(folder)
    assert newest is not None
    assert newest.folder == older.folder
    save_checkpoint(folder, 0, tensors, state)
    assert [path.name for path in folder.iterdir()] == ["epoch-000"]


@pytest.mark.parametrize("number", range(1, 11))
@pytest.mark.gate("B3")
def test_b3_a_cache_write_that_finds_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    from faults_shim import install
    from features_small import Pictures, Small, extract

    pictures = Pictures(300)  # two shards
    call = ("write", "fsync", "rename")[number % 3]
    with monkeypatch.context() as patch:
        install(None, f"ENOSPC@cache.{call}:{1 + number // 3}", patch.setattr)
        with pytest.raises(DiskError):
            extract(Small(), pictures, tmp_path)
    assert not list(tmp_path.rglob("*.tmp-*"))
    shards = {path.stem for path in tmp_path.rglob("*.safetensors")}
    assert shards == {path.stem for path in tmp_path.rglob("*.json")} - {"about"}
    clean = extract(Small(), pictures, tmp_path / "clean").digest
    assert extract(Small(), pictures, tmp_path).digest == clean


HARM: dict[str, Any] = {
    "short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "long": lambda path: path.write_bytes(path.read_bytes() + b" "),
    "other": lambda path: path.write_bytes(b"?" + path.read_bytes()[1:]),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("name", ["model.safetensors", "state.json", durable.MANIFEST])
@pytest.mark.gate("B3")
def test_b3_never_done_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, harm: str) -> None:
    """A disk that answers well and keeps nothing: the checkpoint is read back, the loss said, the older one kept."""
    import torch

    from skinframe.train.checkpoint import newest_checkpoint, save_checkpoint

    tensors = {"model": {"w": torch.ones(3)}}
    state = {"step": 1, "tokens": 1, "log_bytes": 1, "ties": {}}
    older = save_checkpoint(tmp_path, 0, tensors, state, position=1)
    real = durable.write_file

    def broken(path: Path, data: bytes) -> None:
        real(path, data)
        if path.name == name:
            HARM[harm](path)

    monkeypatch.setattr(durable, "write_file", broken)
    with pytest.raises(DiskError, match="this disk is failing") as found:
        save_checkpoint(tmp_path, 0, tensors, state)
    assert name in str(found.value)
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    assert newest.folder == older.folder


def test_b3_an_unexpected_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = durable.write_file
    monkeypatch.setattr(
        durable, "write_file", lambda path, data: [real(path.with_name(n), data) for n in (path.name, "x")]
    )
    with pytest.raises(DiskError, match=r"holds other files than were written \(x\)"):
        durable.write_folder(tmp_path / "folder", {"a": b"1"})


def test_b4_too_little_room_is_refused_with_figures(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import skinframe.train.step_guards as guards

    monkeypatch.setattr(guards, "free_bytes", lambda folder: 1_000_000)
    with pytest.raises(
        DiskError, match=r"2 checkpoints and a report need [\d.,]+ [kMG]?B and [\d.,]+ [kM]?B is free"
    ) as found:
        small.run(tmp_path)
    assert found.value.exit_code == 5
    (folder,) = tmp_path.iterdir()
    assert not list(folder.glob("checkpoints/*"))
    assert not (folder / "log.jsonl").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a mount, which needs root")
@pytest.mark.nightly
def test_b3_a_disk_that_is_really_full(small: Any, tmp_path: Path) -> None:
    """No shim: a file system of two megabytes."""
    import subprocess

    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(DiskError):
            small.run(place)
    finally:
        subprocess.run(["umount", str(place)], check=True)
