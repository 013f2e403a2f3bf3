"""A grid on a real Ray cluster of one machine: the same figures, the same refusals, closed to strangers."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinframe.errors import MissingRunsError
from skinframe.grid.engines.ray_cluster import connected, imported

LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F"}  # 127.0.0.1, plain and in IPv6
STRANGER = """
from skinframe.grid.engines.ray_cluster import connected, imported

with connected(imported()):
    print("in")
"""


def test_the_same_grid_has_the_same_figures(ablated: Callable[..., Any], copied: Path, made: Any) -> None:
    for arm in made.report.arms:
        shutil.rmtree(copied / arm.runs[1])  # half of its runs are made on Ray
    found = ablated(copied, engine="ray")
    assert found.report.figures == made.report.figures
    assert found.report.differences == made.report.differences
    assert not imported().is_initialized()


def test_a_failing_run_is_named_and_the_others_stand(ablated: Callable[..., Any], copied: Path, made: Any) -> None:
    gone = copied / made.report.arms[0].runs[1]
    (gone / "files.json").unlink()
    (gone / "plan.yaml").write_text("recipe: {}\n")
    with pytest.raises(MissingRunsError, match=r"whole, seed 18: .*\n.*is not a valid plan") as caught:
        ablated(copied, engine="ray")
    assert caught.value.exit_code == 2


def listening(port: int) -> set[str]:
    """The addresses on which something listens at a port, as the kernel writes them; Linux only."""
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}


def knocks(address: str, token: str) -> tuple[bool, str]:
    """Say whether a process with this token gets into the cluster, and what it writes on standard error."""
    environment = {**os.environ, "RAY_ADDRESS": address, "RAY_AUTH_TOKEN": token}
    found = subprocess.run([sys.executable, "-c", STRANGER], env=environment, capture_output=True, text=True)
    assert (found.returncode == 0) == ("in" in found.stdout.split()), found.stderr
    return found.returncode == 0, found.stderr


def test_only_this_machine_and_only_with_the_token() -> None:
    ray, on_sigterm = imported(), signal.getsignal(signal.SIGTERM)
    with connected(ray):
        assert signal.getsignal(signal.SIGTERM) is on_sigterm
        address = ray.get_runtime_context().gcs_address
        assert address.startswith("127.0.0.1:")
        assert os.environ["RAY_AUTH_MODE"] == "token"
        assert listening(int(address.rpartition(":")[2])) <= LOOPBACK
        assert knocks(address, os.environ["RAY_AUTH_TOKEN"])[0]
        inside, said = knocks(address, secrets.token_hex(32))
        assert not inside
        assert "RecipeError: --engine" in said
        assert "no cluster answers" in said
    assert not ray.is_initialized()
