"""Killed, cut, flipped, filled: what a cache must survive (reliability suite A3, B3, B4, D1, D2, D6 to D8)."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from features_small import Pictures, Small, extract

from skinframe import DiskError, locks
from skinframe.errors import BusyError
from skinframe.features import compute_missing_features, shard_store, verify
from skinframe.features.shard_store import LOCK_NAME

SCRIPT = Path(__file__).with_name("small.py")
N = 700  # three shards


def shards(root):
    return sorted(root.glob("image-*/*.safetensors"))


def start(root, pause=0.0):
    argv = [sys.executable, str(SCRIPT), str(root), str(N), str(pause)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def files(root):
    return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file() and path.name != LOCK_NAME}


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """An uninterrupted build."""
    root = tmp_path_factory.mktemp("clean")
    return root, extract(Small(), Pictures(N), root).digest


@pytest.mark.parametrize("after", [0, 40, 256, 300, 699])
@pytest.mark.gate("A3")
def test_interrupted_in_the_loader_resumes_to_the_same_bytes(tmp_path, clean, after):
    pictures = Pictures(N)

    def load(index):
        if index == after:
            raise KeyboardInterrupt
        return pictures.load(index)

    from skinframe.features import extract_images

    with pytest.raises(KeyboardInterrupt):
        extract_images(Small(), pictures.keys, load, root=tmp_path)
    kept = len(shards(tmp_path))
    assert kept == after // 256
    encoder = Small()
    assert extract(encoder, Pictures(N), tmp_path).digest == clean[1]
    assert encoder.tower.rows == N - 256 * kept
    assert files(tmp_path) == files(clean[0])


@pytest.mark.gate("A3")
def test_killed_writer_resumes_to_the_same_bytes(tmp_path, clean):
    process = start(tmp_path, pause=0.03)
    deadline = time.monotonic() + 120
    while not shards(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 1 <= len(shards(tmp_path)) < 3
    assert extract(Small(), Pictures(N), tmp_path).digest == clean[1]  # and the dead holder's lock is free
    assert files(tmp_path) == files(clean[0])


def test_processes_that_build_together_compute_each_row_once(tmp_path, clean):
    processes = [start(tmp_path, pause=0.01) for _ in range(2)]
    results = [process.communicate(timeout=240)[0].split() for process in processes]
    assert sum(int(rows) for rows, _ in results) == N
    assert {digest for _, digest in results} == {clean[1]}


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize("where", ["row", "header", "index", "truncated", "empty", "deleted"])
@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.gate("D1")
def test_damage_is_found_logged_and_computed_again(tmp_path, clean, caplog, where, opened):
    """Damage before the cache is opened, and under an open one."""
    encoder = Small()
    features = extract(encoder, Pictures(N), tmp_path)
    target = shards(tmp_path)[1]
    if where == "row":
        flip(target, -3)
    elif where == "header":
        flip(target, 20)
    elif where == "index":
        flip(target.with_suffix(".json"), -30)
    elif where == "deleted":
        target.unlink()
    else:
        os.truncate(target, 100 if where == "truncated" else 0)
    if where != "deleted":
        assert [finding.state for finding in verify(tmp_path)].count("damaged") == 1
    if not opened:
        features = extract(encoder, Pictures(N), tmp_path)
    values = features.get(range(N), [0] * N)
    wanted = extract(Small(), Pictures(N), clean[0]).get(range(N), [0] * N)
    assert all((values[name] == wanted[name]).all() for name in wanted)
    assert features.digest == clean[1]
    unread = opened and where in ("header", "index")  # what an open cache no longer needs
    assert ("damaged" in caplog.text) != unread
    if not unread:
        assert files(tmp_path) == files(clean[0])
        assert {finding.state for finding in verify(tmp_path)} == {"whole"}


def test_leftovers_of_a_killed_writer_are_seen_and_swept(tmp_path):
    extract(Small(), Pictures(5), tmp_path)
    folder = shards(tmp_path)[0].parent
    (folder / ".abc.safetensors.tmp-0123").write_bytes(b"half")
    (folder / "orphan.safetensors").write_bytes(b"no index")
    assert sorted(finding.state for finding in verify(tmp_path)) == ["leftover", "leftover", "whole", "whole"]
    extract(Small(), Pictures(6), tmp_path)
    assert {finding.state for finding in verify(tmp_path)} == {"whole"}


def test_too_little_space_is_refused_with_figures_before_any_call(tmp_path, monkeypatch):
    monkeypatch.setattr(compute_missing_features, "free_bytes", lambda folder: 1000)
    encoder = Small()
    with pytest.raises(DiskError, match=r"needs \d+\.\d+ GB for 40 rows and 0.00 GB is free"):
        extract(encoder, Pictures(40), tmp_path)
    assert encoder.loads == 0


def test_a_write_that_fails_leaves_the_old_shards_and_nothing_else(tmp_path):
    extract(Small(), Pictures(8), tmp_path)
    before = files(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(DiskError, match="too large"):
            extract(Small(), Pictures(200), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(tmp_path) == before
    assert extract(Small(), Pictures(200), tmp_path).get([199], [0])


def test_a_whole_cache_is_read_where_nothing_can_be_written(tmp_path, monkeypatch):
    digest = extract(Small(), Pictures(5), tmp_path).digest

    def refuse(root):
        raise AssertionError("reading took the writer's lock")

    monkeypatch.setattr(compute_missing_features, "exclusive", refuse)
    assert extract(Small(), Pictures(5), tmp_path).digest == digest


def test_no_file_stays_open(tmp_path):
    features = extract(Small(), Pictures(300), tmp_path)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for row in range(300):
        features.get([row, 0], [0, 0])
    features.close()
    after = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    assert after == before


def no_flock(handle, operation):
    raise OSError(locks.NO_FLOCK[0], "no locks available")


def test_without_flock_a_lease_takes_its_place(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(locks.fcntl, "flock", no_flock)
    lease = tmp_path / f"{LOCK_NAME}.lease"
    with shard_store.exclusive(tmp_path):
        assert json.loads(lease.read_text())["pid"] == os.getpid()
    assert not lease.exists()
    assert "no working flock" in caplog.text


def test_a_dead_lease_is_cleared_and_a_foreign_one_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(locks.fcntl, "flock", no_flock)
    lease = tmp_path / f"{LOCK_NAME}.lease"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    lease.write_text(json.dumps({**json.loads(locks._holder()), "pid": gone.pid}))
    with shard_store.exclusive(tmp_path):
        pass
    lease.write_text(json.dumps({"host": "elsewhere", "pid": 7, "since": "noon"}))
    with pytest.raises(BusyError, match="process 7 on elsewhere since noon"), shard_store.exclusive(tmp_path):
        pass
    assert lease.exists()
