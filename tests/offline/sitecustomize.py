"""Loaded by every interpreter that has this folder on its path: an internet address is refused, a local one is not."""

from __future__ import annotations

import socket
from typing import Any

LOCAL = ("127.0.0.1", "::1", "localhost")
_connect, _connect_ex = socket.socket.connect, socket.socket.connect_ex


def _refuse(sock: socket.socket, address: Any) -> None:
    if sock.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOCAL:
        raise AssertionError(f"a test asked for the network: {address}")


def _guarded(sock: socket.socket, address: Any) -> None:
    _refuse(sock, address)
    _connect(sock, address)


def _guarded_ex(sock: socket.socket, address: Any) -> int:
    _refuse(sock, address)
    return _connect_ex(sock, address)


socket.socket.connect = _guarded  # type: ignore[method-assign]
socket.socket.connect_ex = _guarded_ex  # type: ignore[method-assign]
