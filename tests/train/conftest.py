"""A bench for steps: the small recipe's real model and eight of its samples; objectives are made of any terms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import skinframe
from skinframe.planning.address import column

Gradients = dict[str, torch.Tensor]


class Bench:
    """Takes steps; each objective is made of one term or a few."""

    def __init__(self, small: Any, folder: Path) -> None:
        from accelerate import Accelerator

        from skinframe.model.module import build_model
        from skinframe.preparing.prepare import prepare
        from skinframe.preparing.run_feed import make_feed
        from skinframe.progress import Display

        torch.set_num_threads(1)
        self.small = small
        plan = skinframe.plan(small.recipe, overrides=small.overrides)
        prepared = prepare(plan, folder, small.cache, "cpu", Display(quiet=True))
        self.model = build_model(plan, "cpu")
        self.feed, self.accelerator = make_feed(prepared, self.model), Accelerator()
        self.rows = sorted(prepared.split.train[:8], key=self.feed.length)

    def objective(self, **losses: Any) -> Any:
        """Return the objective of other losses over the same model."""
        from skinframe.model.objective import Objective

        off = [f"losses.{name}.enabled=false" for name in ("focal", "alignment", "calibration", "rationale")]
        text = self.small.recipe.read_text().replace("losses:\n", "losses:\n  DUMMY\n")
        lines = "\n".join(f"  x_{name}: {{use: {name}, weight: {weight}}}" for name, weight in losses.items())
        recipe = self.small.recipe.with_name("bench.yaml")
        recipe.write_text(text.replace("  DUMMY", lines))
        return Objective(skinframe.plan(recipe, overrides=[*self.small.overrides, *off]))

    def batches(self, sizes: list[int]) -> list[dict[str, torch.Tensor]]:
        cut = torch.tensor(self.rows).split(sizes)
        graph, every = self.model.graph, {column(name) for name in self.feed.columns} - {column("lesion_cover")}
        return [self.feed.batch(some.tolist(), [0] * len(some), graph.wanted | every) for some in cut]

    def step(
        self, objective: Any, sizes: list[int], *, gather: bool = True, norms: bool = False, train: bool = False
    ) -> tuple[Any, Gradients]:
        """Take a step of the eight samples cut into micro-batches of these sizes: state is committed, weights stay."""
        from skinframe.train.training_step import run_step

        batches = self.batches(sizes)
        ids = [[self.feed.ids[row] for row in some] for some in torch.tensor(self.rows).split(sizes)]
        self.model.train(train)
        self.model.zero_grad(set_to_none=True)
        seeds = list(range(len(sizes)))
        record = run_step(self.accelerator, self.model, objective, batches, ids, 0.5, seeds, norms, gather)
        objective.commit(record.rows, record.parts, record.shared_norms)
        return record, self.gradients()

    def gradients(self) -> Gradients:
        return {n: p.grad.clone() for n, p in self.model.trained_parameters() if p.grad is not None}


@pytest.fixture(scope="session")
def bench(small: Any, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(small, Path(tmp_path_factory.mktemp("gather")))
