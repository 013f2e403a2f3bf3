"""What an engine is: it takes idempotent items and says how each ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.grid.request import Item, Request
from skinframe.grid.work import Outcome

if TYPE_CHECKING:
    from skinframe.preparing.remote_features import ShardEngine

ENGINES = ("local", "ray")


class Engine(Protocol):
    """Does items in any order and anywhere; each is content-addressed and may be done again without harm."""

    def submit(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """Yield the outcome of each item as it ends. Closing the iterator stops what still runs."""
        ...

    def __str__(self) -> str:
        """Say where the work is done, for the plan."""
        ...


def engine_of(name: str, *, workers: int, threads: int, logs: Path) -> Engine:
    """Return an engine by name. `workers` 0: as many as the machine has cores for. Raises RecipeError."""
    if name == "local":
        from skinframe.grid.engines.local import Local

        return Local(workers=workers, threads=threads, logs=logs)
    if name == "ray":
        from skinframe.grid.engines.on_ray import Ray

        return Ray(workers=workers, threads=threads)
    raise _unknown(name)


def spread_of(name: str, request: Request, *, threads: int) -> ShardEngine | None:
    """Return what extracts a run's features on an engine; None where the run does it itself. Raises RecipeError."""
    if name == "local":
        return None
    if name == "ray":
        from skinframe.grid.engines.features_on_ray import FeaturesOnRay
        from skinframe.grid.engines.ray_cluster import imported

        imported(data=True)  # that it is missing is said before the images are read
        return FeaturesOnRay(request=request, threads=threads)
    raise _unknown(name)


def _unknown(name: str) -> RecipeError:
    return RecipeError("--engine", [Problem(name, f"no such engine{did_you_mean(name, ENGINES)}")])
