"""The seeds of a step: each micro-batch of each step draws a dropout mask of its own, and a resume draws the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def seeds(step: int, *, seed: int = 3, micro: int = 2) -> list[int]:
    from skinframe.train.training_loop import Trainer

    recipe = SimpleNamespace(seed=seed, train=SimpleNamespace(views=1))
    own: Any = SimpleNamespace(plan=SimpleNamespace(recipe=recipe), feed=SimpleNamespace(ids=["a", "b"]), step=step)
    return list(Trainer._scene(own, 0, 0.5, [[0], [1]][:micro]).seeds)


def test_no_two_micro_batches_share_a_dropout_mask() -> None:
    drawn = [seed for step in range(50) for seed in seeds(step)]
    assert len(set(drawn)) == 100
    assert seeds(7) == seeds(7)
    assert not set(seeds(7)) & set(seeds(7, seed=4))
    assert seeds(7, micro=1) == seeds(7)[:1]
