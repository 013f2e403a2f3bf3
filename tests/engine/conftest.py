"""Short runs that several tests compare: one epoch in full, without alignment, with its weight at 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Spied:
    """A run, the samples of each step's micro-batches and the trained weights before the first step."""

    folder: Path = Path()
    steps: list[list[list[str]]] = field(default_factory=list)
    start: dict[str, Any] = field(default_factory=dict)


@contextmanager
def spy() -> Iterator[Spied]:
    import skinframe.train.loop as loop

    seen, real = Spied(), loop.run_step

    def recorded(accelerator: Any, model: Any, objective: Any, batches: Any, ids: Any, *rest: Any, **more: Any) -> Any:
        if not seen.start:
            seen.start = model.trained_state()
        seen.steps.append([list(names) for names in ids])
        return real(accelerator, model, objective, batches, ids, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "run_step", recorded)
        yield seen


@pytest.fixture(scope="session")
def one_epoch(small: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Spied]:
    """Return a function that makes a one-epoch run of the small recipe."""

    def make(*overrides: str, **more: Any) -> Spied:
        with spy() as seen:
            seen.folder = small.run(tmp_path_factory.mktemp("out"), "train.epochs=1", *overrides, **more).folder
        return seen

    return make


@pytest.fixture(scope="session")
def full(one_epoch: Callable[..., Spied]) -> Spied:
    return one_epoch()


@pytest.fixture(scope="session")
def without_alignment(one_epoch: Callable[..., Spied]) -> Spied:
    return one_epoch(without=["losses.alignment"])
