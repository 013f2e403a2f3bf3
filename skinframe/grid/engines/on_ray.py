"""Items as Ray core tasks: on this machine, or on a cluster that was started beforehand. Needs skinframe[cluster]."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skinframe.grid.engines.ray_cluster import RETRIES, connected, imported, resources, share, where
from skinframe.grid.request import Item, item_of
from skinframe.grid.work import Outcome, do


@dataclass(frozen=True, kw_only=True)
class Ray:
    """One task an item, of `threads` CPUs, and of one GPU where the cluster has any; at most `workers` at a time.

    Every node must see the same `out`, `cache`, recipe and plugins under the same paths. An item whose task is tried
    again goes on from its newest checkpoint.
    """

    workers: int
    threads: int

    def __str__(self) -> str:
        return f"Ray tasks of {self.threads} thread{'s' * (self.threads > 1)} on {where()}"

    def submit(self, items: Sequence[Item]) -> Iterator[Outcome]:
        if not items:
            return
        ray = imported()
        with connected(ray):
            cpus, gpu, _ = share(resources(ray), self.threads, 1)
            task = ray.remote(num_cpus=cpus, num_gpus=gpu, max_retries=RETRIES)(_task)
            most = self.workers or len(items)
            todo = list(items)
            running: dict[Any, Item] = {}
            while todo or running:
                while todo and len(running) < most:
                    item = todo.pop(0)
                    running[task.remote(item.to_json(), os.getcwd())] = item
                (ended, *_), _ = ray.wait(list(running), num_returns=1)
                yield _outcome(ray, ended, running.pop(ended))


def _task(text: str, folder: str) -> tuple[int, str, float]:
    os.chdir(folder)  # a recipe, its data or its plugins may be named from where the grid was started
    outcome = do(item_of(text))
    return outcome.code, outcome.message, outcome.seconds


def _outcome(ray: Any, reference: Any, item: Item) -> Outcome:
    try:
        return Outcome(item, *ray.get(reference))
    except ray.exceptions.RayError as error:
        return Outcome(item, 1, f"its task was lost {RETRIES + 1} times ({type(error).__name__}); start again to go on")
