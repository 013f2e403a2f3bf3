"""Feature extraction on Ray Data: a pool of actors, each with the frozen encoder. Needs skinframe[cluster]."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skinframe.errors import DataError, WorkerError
from skinframe.grid.engines.ray_cluster import RETRIES, connected, imported, resources, share
from skinframe.grid.run_item import caught
from skinframe.grid.run_request import Request, request_of
from skinframe.preparing.remote_features import ShardWorker, WantedRow
from skinframe.untrusted_files import parse_object

if TYPE_CHECKING:
    import pyarrow as pa

GPU_SHARE = 0.25  # of a GPU an actor: while one decodes images another encodes


@dataclass(frozen=True, kw_only=True)
class FeaturesOnRay:
    """Shards as batches of Ray Data. An actor writes its shard into the cache, so that no feature passes through Ray.

    Every node must see the same cache, recipe, plugins and data under the same paths. As many actors as fit on the
    cluster, each with `threads` CPUs and, if there are GPUs, a quarter of one.
    """

    request: Request
    threads: int

    def __call__(
        self, encoder: str, fingerprint: str, cache: Path, shards: Sequence[Sequence[WantedRow]]
    ) -> Generator[int]:
        ray = imported(data=True)
        with connected(ray):
            arguments = (json.dumps(asdict(self.request)), os.getcwd(), encoder, fingerprint, str(cache.resolve()))
            done = self._dataset(ray, shards, arguments)
            try:
                for row in done.iter_rows():
                    if row["code"]:
                        raise WorkerError(row["message"], row["code"])
                    yield row["number"]
            except ray.exceptions.RayError as error:
                what = f"an extraction process was lost {RETRIES + 1} times ({' '.join(str(error).split())[:300]})"
                raise DataError(
                    f"features of {encoder}: {what}; shards written so far are kept, rerun to continue"
                ) from error

    def _dataset(self, ray: Any, shards: Sequence[Sequence[WantedRow]], arguments: tuple[str, ...]) -> Any:
        """Return the data set of outcomes: a block of rows is a shard, and each goes to an actor that is free."""
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False  # the run shows its own
        context.execution_no_progress_timeout_s = -1  # a shard takes as long as its encoder takes, here as anywhere
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what went wrong is said once, by the run
        cpus, gpu, room = share(resources(ray), self.threads, GPU_SHARE)
        with warnings.catch_warnings():  # Ray Data has no other way yet to say how often a dead actor is replaced
            warnings.simplefilter("ignore", DeprecationWarning)
            return ray.data.from_arrow([_table(number, shard) for number, shard in enumerate(shards)]).map_batches(
                _Actor,
                fn_constructor_args=arguments,
                batch_size=None,
                batch_format="pyarrow",
                compute=ray.data.ActorPoolStrategy(size=min(room, len(shards))),
                num_cpus=cpus,
                num_gpus=gpu,
                max_restarts=RETRIES,
                max_task_retries=RETRIES,
            )


class _Actor:
    """A worker process; from its first shard on it holds the plan, the data set and the tower."""

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments
        self.maker: ShardWorker | None = None

    def __call__(self, table: pa.Table) -> pa.Table:
        import pyarrow as pa

        columns = (table[name].to_pylist() for name in WantedRow._fields)
        code, message = caught(lambda: self._make([WantedRow(*row) for row in zip(*columns, strict=True)]))
        return pa.table({"number": table["number"].slice(0, 1), "code": [code], "message": [message]})

    def _make(self, shard: Sequence[WantedRow]) -> None:
        if self.maker is None:
            self.maker = _maker(*self.arguments)
        self.maker.make(shard)


def _maker(words: str, folder: str, encoder: str, fingerprint: str, cache: str) -> ShardWorker:
    import torch

    from skinframe.device import best_device

    os.chdir(folder)  # a recipe, its data or its plugins may be named from where the run was started
    plan = request_of(parse_object(words, "a request of a worker")).plan()
    torch.set_num_threads(plan.recipe.train.threads)
    return ShardWorker(plan, encoder, fingerprint, Path(cache), best_device())


def _table(number: int, shard: Sequence[WantedRow]) -> pa.Table:
    import pyarrow as pa

    columns = zip(*shard, strict=True)
    named: dict[str, Any] = dict(zip(WantedRow._fields, map(list, columns), strict=True))
    return pa.table({"number": [number] * len(shard), **named})
