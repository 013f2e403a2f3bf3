"""Operating-system calls, recorded and broken on purpose. Part of the tests: nothing of this ships with the package.

`SKINFRAME_TEST_RECORD=FILE` writes a JSON line a call; `SKINFRAME_TEST_FAULT=ACTION@AREA.CALL:N` acts at the N-th call
of that name in that area. Actions: `kill` before the call, `kill-after` it, `half` (write half,
then kill), or an errno's name. `SKINFRAME_TEST_FEW=N` lets worker processes read more than N images: by default a
set as small as the tests' is read without them.
"""

from __future__ import annotations

import errno
import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import skinframe.atomic_write as durable

RECORD, FAULT, FEW = "SKINFRAME_TEST_RECORD", "SKINFRAME_TEST_FAULT", "SKINFRAME_TEST_FEW"


def area(path: str) -> str:
    """Name the part of a run that a path belongs to."""
    if "/trial" in path:
        return "trial"
    if "/checkpoints/" in path or path.endswith("/checkpoints"):
        return "ckpt"
    if "/image-" in path or "/text-" in path:
        return "cache"
    ends = ("predictions", "metrics.json", "calibrator.json", "report.", "rationales", "selection.json", "files.json")
    return "eval" if any(word in path for word in ends) else "run"


class Shim:
    """Counts calls by area and name; records them; acts at the armed one."""

    def __init__(self, record: str | None, fault: str | None) -> None:
        self.file = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if record else None
        self.action, _, point = fault.partition("@") if fault else ("", "", "")
        self.point, _, number = point.partition(":")
        self.number = int(number or 0)
        self.counts: Counter[str] = Counter()

    def around(self, name: str, path: str, call: Callable[[], Any], half: Callable[[], Any] | None = None) -> Any:
        where = f"{area(path)}.{name}"
        self.counts[where] += 1
        if self.file is not None:
            os.write(self.file, (json.dumps({"call": name, "area": area(path), "path": path}) + "\n").encode())
        if where != self.point or self.counts[where] != self.number:
            return call()
        if self.action == "kill-after":
            call()
        elif self.action == "half" and half is not None:
            half()
        elif hasattr(errno, self.action):
            number = getattr(errno, self.action)
            if half is not None:
                half()
            raise OSError(number, os.strerror(number), path)
        os.kill(os.getpid(), signal.SIGKILL)
        return None


def install(record: str | None, fault: str | None, patch: Callable[[Any, str, Any], None] = setattr) -> Shim:
    """Stand between the process and the system, once; `patch` may be pytest's own, which takes it back."""
    shim = Shim(record, fault)
    fsync, rename, replace, mkdir, unlink, write = (
        os.fsync, os.rename, os.replace, os.mkdir, os.unlink, durable.write_file,
    )  # fmt: skip

    def written(path: Path, data: bytes) -> None:
        shim.around("write", str(path), lambda: write(path, data), lambda: path.write_bytes(data[: len(data) // 2]))

    def synced(handle: int) -> None:
        shim.around("fsync", os.readlink(f"/proc/self/fd/{handle}"), lambda: fsync(handle))

    def renamed(source: Any, target: Any, **more: Any) -> None:
        shim.around("rename", str(target), lambda: rename(source, target, **more))

    def replaced(source: Any, target: Any, **more: Any) -> None:
        shim.around("rename", str(target), lambda: replace(source, target, **more))

    def made(path: Any, *rest: Any, **more: Any) -> None:
        shim.around("mkdir", str(path), lambda: mkdir(path, *rest, **more))

    def removed(path: Any, *rest: Any, **more: Any) -> None:
        shim.around("unlink", str(path), lambda: unlink(path, *rest, **more))

    patch(durable, "write_file", written)
    for name, stand_in in (("fsync", synced), ("rename", renamed), ("replace", replaced), ("mkdir", made)):
        patch(os, name, stand_in)
    patch(os, "unlink", removed)
    return shim


def from_environment() -> None:
    """Arm what the environment names; a test starts its processes through this, and nothing else reads the names."""
    if os.environ.get(RECORD) or os.environ.get(FAULT):
        install(os.environ.get(RECORD), os.environ.get(FAULT))
    if os.environ.get(FEW):
        import skinframe.data.worker_pool as pool

        pool.FEW = int(os.environ[FEW])
