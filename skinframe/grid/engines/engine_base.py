"""Execution engines: each executes runs, which may be retried, and reports how each ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.grid.run_item import ItemResult
from skinframe.grid.run_request import Request, RunItem

if TYPE_CHECKING:
    from skinframe.preparing.remote_features import ShardEngine

ENGINES = ("local", "ray")


class Engine(Protocol):
    """Makes runs in any order and anywhere; each is content-addressed and may be repeated without harm."""

    def submit(self, items: Sequence[RunItem]) -> Iterator[ItemResult]:
        """Yield the result of each run as it ends. Closing the iterator stops the runs that are still going."""
        ...

    def __str__(self) -> str:
        """Describe the engine, for the plan."""
        ...


def engine_of(name: str, *, workers: int, threads: int, logs: Path) -> Engine:
    """Return an engine by name; `workers` 0 uses every core of the machine. Raises RecipeError."""
    if name == "local":
        from skinframe.grid.engines.local_processes import LocalProcesses

        return LocalProcesses(workers=workers, threads=threads, logs=logs)
    if name == "ray":
        from skinframe.grid.engines.ray_runs import Ray

        return Ray(workers=workers, threads=threads)
    raise _unknown(name)


def spread_of(name: str, request: Request, *, threads: int) -> ShardEngine | None:
    """Return what extracts a run's features on an engine; None if the run does it itself. Raises RecipeError."""
    if name == "local":
        return None
    if name == "ray":
        from skinframe.grid.engines.features_on_ray import FeaturesOnRay
        from skinframe.grid.engines.ray_cluster import imported

        imported(data=True)  # fails before any image is read
        return FeaturesOnRay(request=request, threads=threads)
    raise _unknown(name)


def _unknown(name: str) -> RecipeError:
    return RecipeError("--engine", [Problem(name, f"no such engine{did_you_mean(name, ENGINES)}")])
