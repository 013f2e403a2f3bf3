"""Runs as Ray core tasks: on this machine, or on a running cluster. Needs skinframe[cluster]."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skinframe.grid.engines.ray_cluster import RETRIES, connected, imported, resources, share, where
from skinframe.grid.run_item import ItemResult, attempt
from skinframe.grid.run_request import RunItem, item_of


@dataclass(frozen=True, kw_only=True)
class Ray:
    """One task per run, with `threads` CPUs, and one GPU if the cluster has any; at most `workers` at a time.

    Every node must see the same `out`, `cache`, recipe and plugins under the same paths. A run whose task is
    retried continues from its newest checkpoint.
    """

    workers: int
    threads: int

    def __str__(self) -> str:
        return f"Ray tasks of {self.threads} thread{'s' * (self.threads > 1)} on {where()}"

    def submit(self, items: Sequence[RunItem]) -> Iterator[ItemResult]:
        if not items:
            return
        ray = imported()
        with connected(ray):
            cpus, gpu, _ = share(resources(ray), self.threads, 1)
            task = ray.remote(num_cpus=cpus, num_gpus=gpu, max_retries=RETRIES)(_task)
            most = self.workers or len(items)
            todo = list(items)
            running: dict[Any, RunItem] = {}
            while todo or running:
                while todo and len(running) < most:
                    item = todo.pop(0)
                    running[task.remote(item.to_json(), os.getcwd())] = item
                (ended, *_), _ = ray.wait(list(running), num_returns=1)
                yield _outcome(ray, ended, running.pop(ended))


def _task(text: str, folder: str) -> tuple[int, str, float]:
    os.chdir(folder)  # a recipe, its data or its plugins may be named from where the grid was started
    outcome = attempt(item_of(text))
    return outcome.code, outcome.message, outcome.seconds


def _outcome(ray: Any, reference: Any, item: RunItem) -> ItemResult:
    try:
        return ItemResult(item, *ray.get(reference))
    except ray.exceptions.RayError as error:
        return ItemResult(item, 1, f"its task was lost {RETRIES + 1} times ({type(error).__name__}); rerun to continue")
