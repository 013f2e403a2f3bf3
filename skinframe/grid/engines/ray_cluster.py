"""A Ray cluster: one that was started beforehand, or one in this process that only this machine reaches."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skinframe.errors import Problem, RecipeError

MODE = "RAY_AUTH_MODE"
OPEN = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # off: Ray listens on loopback; else it takes 127.0.0.1 for an outer address
ADDRESS = "RAY_ADDRESS"  # Ray's own variable: a cluster to join; without it one is started here, on loopback
STORE = 100 * 2**20  # bytes of shared memory; what passes between processes is a few words
RETRIES = 3  # of work whose node or process died


def where() -> str:
    """Say which cluster it is, for the plan."""
    return os.environ.get(ADDRESS) or "this machine"


def imported() -> Any:
    """Import Ray with token authentication on: its port runs whatever code it is sent. Raises RecipeError."""
    if "ray" in sys.modules and MODE not in os.environ:  # it has been read by now, and can no longer be set
        what = f"was imported without {MODE}=token; set that before Python starts, or import ray after skinframe ran"
        raise RecipeError("--engine", [Problem("ray", what)])
    os.environ.setdefault(MODE, "token")
    if not os.environ.get(ADDRESS):
        os.environ.setdefault(OPEN, "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        what = "Ray is not installed; pip install 'skinframe[cluster]', or use --engine local"
        raise RecipeError("--engine", [Problem("ray", what)]) from error
    return ray


@contextmanager
def connected(ray: Any) -> Iterator[None]:
    """Join the cluster that RAY_ADDRESS names, else start one that only this machine reaches; leave or end it at last.

    Raises RecipeError where none answers.
    """
    if not os.environ.get(ADDRESS):
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    alone = {"_node_ip_address": "127.0.0.1", "object_store_memory": STORE}
    here = {} if os.environ.get(ADDRESS) else alone
    try:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="error", **here)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise RecipeError("--engine", [Problem("ray", f"no cluster answers: {reason}")]) from error
    try:
        yield
    finally:
        ray.shutdown()
