"""A process whose image workers are killed, also while others start, ends with one message and does not hang."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MODULE = """
import os, signal, time

class Item:
    def __call__(self, item):
        if item % 16 == 0 and MODE == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if MODE == "hang" and item == 40:
            time.sleep(3600)
        return item
"""
SCRIPT = """
import sys
from killed_items import Item
from skinframe.data.worker_pool import chunked_map
from skinframe.errors import DataError

work = Item()
try:
    print(sum(chunked_map(work, range(400), workers=6, carries=work, patience=4.0)))
except DataError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize("mode", ["kill", "hang", "fine"])
def test_the_process_ends(tmp_path: Path, mode: str, environment: dict[str, str]) -> None:
    (tmp_path / "killed_items.py").write_text(f"MODE = {mode!r}\n{MODULE}")
    path = f"{tmp_path}:{environment['PYTHONPATH']}"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    expected = {"kill": "was killed by SIGKILL", "hang": "no progress for 4 s", "fine": str(sum(range(400)))}[mode]
    assert expected in done.stdout, done.stderr
    assert "Traceback" not in done.stderr
