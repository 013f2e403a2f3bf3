"""The guard that keeps the tests off the network works, here and in the processes they start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ADDRESS = ("192.0.2.1", 80)  # reserved for documentation (RFC 5737); nothing answers there


def test_an_internet_address_is_refused() -> None:
    with socket.socket() as sock, pytest.raises(AssertionError, match="asked for the network"):
        sock.connect(ADDRESS)


def test_a_local_address_is_not_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=5):
        pass


def test_a_child_process_is_guarded_alike() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent / "offline")}
    code = f"import socket; socket.socket().connect({ADDRESS!r})"
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert "asked for the network" in found.stderr
