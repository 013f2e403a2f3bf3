"""Features on Ray Data: a pool of actors, each with the frozen encoder, makes shards. Needs skinframe[cluster]."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skinframe.engine.elsewhere import Maker, Wanted
from skinframe.errors import DataError, SkinframeError, WorkerError
from skinframe.grid.engines.ray_cluster import RETRIES, connected, imported
from skinframe.grid.request import Request, request_of

if TYPE_CHECKING:
    import pyarrow as pa

GPU_SHARE = 0.25  # of a GPU an actor: while one decodes images another encodes


@dataclass(frozen=True, kw_only=True)
class FeaturesOnRay:
    """Shards as batches of Ray Data. An actor writes its shard into the cache, so that no feature passes through Ray.

    Every node must see the same cache, recipe, plugins and data under the same paths. `workers` 0: as many actors as
    the cluster has room for, each of `threads` CPUs and, where there are GPUs, a quarter of one.
    """

    request: Request
    threads: int
    workers: int = 0

    def __call__(self, encoder: str, digest: str, cache: Path, shards: Sequence[Sequence[Wanted]]) -> Iterator[int]:
        ray = imported()
        with connected(ray):
            told = (json.dumps(asdict(self.request)), os.getcwd(), encoder, digest, str(cache.resolve()))
            done = self._dataset(ray, shards, told)
            try:
                for row in done.iter_rows():
                    if row["message"]:
                        raise WorkerError(row["message"], row["code"])
                    yield row["number"]
            except ray.exceptions.RayActorError as error:
                what = f"a process that extracts died {RETRIES + 1} times ({' '.join(str(error).split())[:300]})"
                raise DataError(
                    f"features of {encoder}: {what}; what was written stands, start again to go on"
                ) from error

    def _dataset(self, ray: Any, shards: Sequence[Sequence[Wanted]], told: tuple[str, ...]) -> Any:
        """Return the data set of outcomes: a block of rows is a shard, and each goes to an actor that is free."""
        from ray import data

        context = data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False  # the run shows its own
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        gpus, actors = self._room(ray.cluster_resources(), len(shards))
        with warnings.catch_warnings():  # Ray Data has no other way yet to say how often a dead actor is replaced
            warnings.simplefilter("ignore", DeprecationWarning)
            return data.from_arrow([_table(number, shard) for number, shard in enumerate(shards)]).map_batches(
                _Actor,
                fn_constructor_args=told,
                batch_size=None,
                batch_format="pyarrow",
                compute=data.ActorPoolStrategy(size=actors),
                num_cpus=self.threads,
                num_gpus=gpus,
                max_restarts=RETRIES,
                max_task_retries=RETRIES,
            )

    def _room(self, found: Any, shards: int) -> tuple[float, int]:
        """Return the share of a GPU that an actor gets, and how many actors there are."""
        cpus, gpus = found.get("CPU", 1), found.get("GPU", 0)
        most = self.workers or int(min(cpus / self.threads, gpus / GPU_SHARE if gpus else cpus))
        return (GPU_SHARE if gpus else 0.0), max(1, min(most, shards))


class _Actor:
    """What a worker process holds: the plan, the data set and, from its first shard on, the tower."""

    def __init__(self, words: str, folder: str, encoder: str, digest: str, cache: str) -> None:
        import torch

        from skinframe.engine.device import best_device

        os.chdir(folder)  # a recipe, its data or its plugins may be named from where the run was started
        self.maker: Maker | None = None
        self.failure = (0, "")
        try:
            plan = request_of(json.loads(words)).plan()
            torch.set_num_threads(plan.recipe.train.threads)
            self.maker = Maker(plan, encoder, digest, Path(cache), best_device())
        except SkinframeError as error:
            self.failure = (error.exit_code, str(error))

    def __call__(self, table: pa.Table) -> pa.Table:
        import pyarrow as pa

        columns = (table[name].to_pylist() for name in Wanted._fields)
        code, message = self.failure
        if self.maker is not None:
            try:
                self.maker.make([Wanted(*row) for row in zip(*columns, strict=True)])
            except SkinframeError as error:
                code, message = error.exit_code, str(error)
        return pa.table({"number": table["number"].slice(0, 1), "code": [code], "message": [message]})


def _table(number: int, shard: Sequence[Wanted]) -> pa.Table:
    import pyarrow as pa

    columns = zip(*shard, strict=True)
    named: dict[str, Any] = dict(zip(Wanted._fields, map(list, columns), strict=True))
    return pa.table({"number": [number] * len(shard), **named})
