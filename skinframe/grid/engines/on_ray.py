"""Items as Ray core tasks: on this machine, or on a cluster that was started beforehand. Needs skinframe[cluster]."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skinframe.errors import Problem, RecipeError
from skinframe.grid.request import Item, item_of
from skinframe.grid.work import Outcome, do

MODE = "RAY_AUTH_MODE"
OPEN = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # off: Ray listens on loopback; else it takes 127.0.0.1 for an outer address
ADDRESS = "RAY_ADDRESS"  # Ray's own variable: a cluster to join; without it one is started here, on loopback
STORE = 100 * 2**20  # bytes of shared memory; what passes between processes is a few words
RETRIES = 3  # of a task whose node or process died; the item goes on from its newest checkpoint


@dataclass(frozen=True, kw_only=True)
class Ray:
    """One task an item, of `threads` CPUs, and of one GPU where the cluster has any; at most `workers` at a time.

    Every node must see the same `out`, `cache`, recipe and plugins under the same paths.
    """

    workers: int
    threads: int

    def __str__(self) -> str:
        where = os.environ.get(ADDRESS) or "this machine"
        return f"Ray tasks of {self.threads} thread{'s' * (self.threads > 1)} on {where}"

    def submit(self, items: Sequence[Item]) -> Iterator[Outcome]:
        if not items:
            return
        ray = _imported()
        _connect(ray)
        try:
            gpus = 1 if ray.cluster_resources().get("GPU", 0) else 0
            task = ray.remote(num_cpus=self.threads, num_gpus=gpus, max_retries=RETRIES)(_task)
            most = self.workers or len(items)
            todo = list(items)
            running: dict[Any, Item] = {}
            while todo or running:
                while todo and len(running) < most:
                    item = todo.pop(0)
                    running[task.remote(item.to_json(), os.getcwd())] = item
                (ended, *_), _ = ray.wait(list(running), num_returns=1)
                yield _outcome(ray, ended, running.pop(ended))
        finally:
            ray.shutdown()


def _task(text: str, folder: str) -> tuple[int, str, float]:
    os.chdir(folder)  # a recipe, its data or its plugins may be named from where the grid was started
    outcome = do(item_of(text))
    return outcome.code, outcome.message, outcome.seconds


def _outcome(ray: Any, reference: Any, item: Item) -> Outcome:
    try:
        return Outcome(item, *ray.get(reference))
    except ray.exceptions.RayError as error:
        return Outcome(item, 1, f"its task was lost {RETRIES + 1} times ({type(error).__name__}); start again to go on")


def _imported() -> Any:
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


def _connect(ray: Any) -> None:
    """Join the cluster that RAY_ADDRESS names, else start one that only this machine reaches. Raises RecipeError."""
    if not os.environ.get(ADDRESS):
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    alone = {"_node_ip_address": "127.0.0.1", "object_store_memory": STORE}
    here = {} if os.environ.get(ADDRESS) else alone
    try:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="error", **here)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise RecipeError("--engine", [Problem("ray", f"no cluster answers: {reason}")]) from error
