"""A Ray cluster: a running one, or one started by this process that only this machine can reach."""

from __future__ import annotations

import math
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from skinframe.errors import Problem, RecipeError

MODE = "RAY_AUTH_MODE"
OPEN = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # off: Ray listens on loopback; else it takes 127.0.0.1 for an outer address
ADDRESS = "RAY_ADDRESS"  # Ray's own variable: a cluster to join; without it one is started here, on loopback
STORE = 100 * 2**20  # bytes of shared memory for keys and outcomes; what exceeds them waits on disk
RETRIES = 3  # of work whose node or process died


def where() -> str:
    """Describe the cluster, for the plan."""
    return os.environ.get(ADDRESS) or "this machine"


def imported(*, data: bool = False) -> Any:
    """Import Ray, and Ray Data, with token authentication on: its port runs whatever it is sent. Raises RecipeError."""
    if "ray" in sys.modules and MODE not in os.environ:  # it has been read by now, and can no longer be set
        what = f"was imported without {MODE}=token; set that before Python starts, or import ray after skinframe ran"
        raise RecipeError("--engine", [Problem("ray", what)])
    os.environ.setdefault(MODE, "token")
    if not os.environ.get(ADDRESS):
        os.environ.setdefault(OPEN, "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray

        if data:
            import ray.data
    except ImportError as error:
        what = f"Ray is not fully installed ({error}); run pip install 'skinframe[cluster]', or use --engine local"
        raise RecipeError("--engine", [Problem("ray", what)]) from error
    return ray


@contextmanager
def connected(ray: Any) -> Iterator[None]:
    """Join the cluster that RAY_ADDRESS names, else start one for this machine alone; then disconnect or stop it.

    Raises RecipeError if none answers.
    """
    if not os.environ.get(ADDRESS):
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    alone = {"_node_ip_address": "127.0.0.1", "object_store_memory": STORE}
    here = {} if os.environ.get(ADDRESS) else alone
    try:
        try:
            with _own_sigterm():
                ray.init(include_dashboard=False, log_to_driver=False, logging_level="error", **here)
        except Exception as error:  # some are plain ones
            reason = " ".join(str(error).split())
            raise RecipeError("--engine", [Problem("ray", f"no cluster answers: {reason}")]) from error
        yield
    finally:
        ray.shutdown()


def share(nodes: Sequence[Mapping[str, float]], threads: int, gpu: float) -> tuple[int, float, int]:
    """Return the CPUs and the fraction of a GPU that a process requests, and how many fit on the `nodes`.

    If some nodes have a GPU, only these are used. If no node has `threads` CPUs, a process requests all that the
    largest has: Ray would wait for ever for resources that no node has.
    """
    with_gpu = [node for node in nodes if node.get("GPU")]
    able, gpu = (with_gpu, gpu) if with_gpu else (nodes, 0.0)
    cpus = min(threads, max((int(node.get("CPU", 0)) for node in able), default=0)) or threads
    holds = [min(node.get("CPU", 0) // cpus, node["GPU"] // gpu if gpu else math.inf) for node in able]
    return cpus, gpu, max(1, int(sum(holds)))


def resources(ray: Any) -> list[Mapping[str, float]]:
    """Return what each living node of the cluster has."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Keep what this process does on SIGTERM: Ray sets a handler that exits with another code, and leaves it there."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
