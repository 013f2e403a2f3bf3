"""The warm process itself: what befalls it is told, and the next test has another."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

SCRIPT = "import sys; sys.exit(int(sys.argv[1]))"


def test_a_dead_warm_process_is_named_and_replaced(cold: Any, tmp_path: Path) -> None:
    warm, script = cold, tmp_path / "end.py"
    script.write_text(SCRIPT)
    pid, _ = warm.start(["7"], script=str(script))
    assert warm.wait(pid) == 7
    assert warm.wait(pid) == 7  # asked twice, answered twice
    with pytest.raises(AssertionError, match="ChildProcessError"):
        warm.wait(os.getpid())  # no child of its own: the request fails, the process lives
    os.kill(warm.process.pid, signal.SIGKILL)
    with pytest.raises(pytest.fail.Exception, match="the warm process was killed by SIGKILL at the request"):
        warm.wait(pid)
    pid, _ = warm.start(["3"], script=str(script))
    assert warm.wait(pid) == 3
