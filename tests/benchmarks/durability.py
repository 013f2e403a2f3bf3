"""What safety costs: a checkpoint against a plain write, and the check of a step's numbers against the step.

`python tests/benchmarks/durability.py --megabytes 200` prints the fastest and the median of `--repeats`; the plain
write is the same bytes to a new folder beside it, once left in the system's cache and once synced.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from skinframe.train.checkpoint import checkpoint_files, save_checkpoint
from skinframe.train.training_step import _check

STATE = {"tokens": 64, "log_bytes": 0, "ties": {}, "step": 1}


def timed(call: Callable[[], object], repeats: int) -> list[float]:
    found = []
    for _ in range(repeats):
        os.sync()
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return found


def checkpoints(folder: Path, megabytes: int, repeats: int) -> None:
    """Compare in turns, so that a busy disk hits all of them alike."""
    count = megabytes * 2**20 // 4 // 3
    tensors = {
        "model": {"w": torch.randn(count)},
        "optimiser": {"0.exp_avg": torch.randn(count), "0.exp_avg_sq": torch.rand(count)},
        "losses": {},
    }

    def plain(sync: bool) -> None:
        files = checkpoint_files(tensors, STATE)
        shutil.rmtree(folder / "plain", ignore_errors=True)
        (folder / "plain").mkdir()
        for name, data in files.items():
            with (folder / "plain" / name).open("wb") as stream:
                stream.write(data)
                if sync:
                    stream.flush()
                    os.fsync(stream.fileno())

    rows: dict[str, list[float]] = {"plain, in cache": [], "plain, synced": [], "checkpoint": []}
    for turn in range(repeats):
        rows["plain, in cache"] += timed(lambda: plain(False), 1)
        rows["plain, synced"] += timed(lambda: plain(True), 1)
        rows["checkpoint"] += timed(lambda turn=turn: save_checkpoint(folder / "ours", turn, tensors, STATE), 1)  # type: ignore[misc]
        shutil.rmtree(folder / "ours")
    base = rows["plain, synced"]
    for name, values in rows.items():
        least, middle = min(values), statistics.median(values)
        shares = f"{least / min(base):5.2f} and {middle / statistics.median(base):5.2f} of plain, synced"
        print(f"{megabytes} MB {name:<16} {least * 1000:8.1f} ms, median {middle * 1000:8.1f} ms: {shares}")


def finite(repeats: int) -> None:
    """Time the check of four terms; a step of the embedded default takes tens of milliseconds and more."""
    parts = {name: torch.rand(()) for name in ("focal", "alignment", "calibration", "rationale")}
    ids = [f"s{i}" for i in range(32)]
    each = []
    for _ in range(repeats):
        began = time.perf_counter()
        for _ in range(1000):
            _check(parts, ids)
        each.append((time.perf_counter() - began) / 1000)
    print(f"finite check of 4 terms: {min(each) * 1e6:.1f} microseconds a micro-batch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path("durability"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    checkpoints(options.folder, options.megabytes, options.repeats)
    finite(options.repeats)
    shutil.rmtree(options.folder)


if __name__ == "__main__":
    main()
