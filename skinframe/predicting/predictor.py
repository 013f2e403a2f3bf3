"""The Predictor: the one interface to a trained model for validation, tests, external tests and `predict`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skinframe.atomic_write import damage_in
from skinframe.data.batch_order import micro_batches
from skinframe.data.feed import Feed
from skinframe.device import best_device
from skinframe.errors import Problem, RecipeError
from skinframe.evaluation.softmax import mean_of_views
from skinframe.model.module import Model, build_model
from skinframe.planning import Plan
from skinframe.planning.address import Address
from skinframe.predicting.finished_run import fingerprints_of, plan_of_run, read_json
from skinframe.train.checkpoint import foreign_in, load_checkpoint, name_of
from skinframe.untrusted_files import well_formed
from skinframe.weighted_statistics import Floats

Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Predictor:
    """A plan, its model and, of a finished run, the fitted calibrator. Changes no weight and reads no label.

    One caller at a time: several threads that share a Predictor wait for each other.
    """

    plan: Plan
    model: Model
    calibration: dict[str, Any] | None = None  # the calibrator's fitted parameters
    _turn: RLock = field(default_factory=RLock, repr=False, compare=False)

    @classmethod
    def open(cls, run: Path, plugins: Sequence[Path] = (), data: Sequence[str] = ()) -> Predictor:
        """Open a finished run: its plan, with other data where `data` names some, chosen checkpoint and calibrator.

        Raises RecipeError where the folder is no finished run or its checkpoint is damaged.
        """
        return cls.of(plan_of_run(run, plugins, data), run)

    @classmethod
    def of(cls, plan: Plan, run: Path) -> Predictor:
        """Return the Predictor of a finished run whose plan has been reopened already."""
        with well_formed(run / "calibrator.json"):
            calibration = dict(read_json(run / "calibrator.json")["parameters"])
        model = chosen_model(plan, run).eval()
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        return cls(plan, model, calibration)

    def logits(self, feed: Feed, rows: Sequence[int]) -> Floats:
        """Return the class scores [N, C] in the order of `rows`.

        Over several dihedral views, where the recipe evaluates them: the mean of their log probabilities.
        """
        return mean_of_views([self._of_view(feed, rows, view) for view in range(self.plan.recipe.evaluate.views)])

    def calibrated(self, logits: Floats) -> Floats:
        """Return calibrated probabilities [N, C]. Raises ValueError where no calibrator was fitted."""
        if self.calibration is None:
            raise ValueError("this model has no fitted calibrator; open a finished run")
        return self.plan.parts.calibrator.apply(logits, self.calibration)

    def rationales(self, feed: Feed, rows: Sequence[int], watch: Watch = lambda done, total: None) -> list[str]:
        """Return one greedy rationale per row; empty texts where the recipe writes none."""
        if self.model.reasoner is None or self.plan.graph.roots.text is None:
            return [""] * len(rows)
        want = self.plan.graph.ancestors(self.plan.graph.roots_of("text"))
        texts: dict[int, str] = {}
        with self._turn, torch.inference_mode():
            for micro, batch in self._batches(feed, rows, 0, want):
                written = self.model.reasoner.generate(batch, self.plan.recipe.evaluate.max_new_tokens)
                texts |= dict(zip(micro, written, strict=True))
                watch(len(texts), len(rows))
        return [texts[row] for row in rows]

    def heat(self, feed: Feed, rows: Sequence[int], classes: Sequence[int]) -> Floats | None:
        """Return heat [N, P] over the image signal that the graph focuses on, for the given class of each row.

        None where the graph has no such signal.
        """
        graph = self.plan.graph
        focus, scores = graph.roots.focus, graph.roots.scores
        if focus is None:
            return None
        asked = dict(zip(rows, classes, strict=True))
        maps: dict[int, Floats] = {}
        with self._turn:
            for micro, batch in self._batches(feed, rows, 0, graph.ancestors([scores, focus])):

                def forward(image_tokens: Tensor, batch: dict[str, Tensor] = batch) -> Tensor:
                    return self.model(batch, [scores], given={focus: image_tokens})[scores]  # type: ignore[no-any-return]

                chosen = torch.tensor([asked[row] for row in micro], device=feed.device)
                heat = self.plan.parts.explainer.explain(forward, batch[focus], chosen).double().cpu().numpy()
                maps |= dict(zip(micro, heat, strict=True))
        return np.stack([maps[row] for row in rows])

    def _of_view(self, feed: Feed, rows: Sequence[int], view: int) -> Floats:
        graph = self.plan.graph
        scores, want = graph.roots.scores, graph.ancestors(graph.roots_of("scores"))
        logits: dict[int, Floats] = {}
        with self._turn, torch.inference_mode():
            for micro, batch in self._batches(feed, rows, view, want):
                values = self.model(batch, want)[scores].double().cpu().numpy()
                logits |= dict(zip(micro, values, strict=True))
        return np.stack([logits[row] for row in rows])

    def _batches(
        self, feed: Feed, rows: Sequence[int], view: int, want: Collection[Address]
    ) -> Iterator[tuple[list[int], dict[str, Tensor]]]:
        """Yield rows and batches of at most the recipe's tokens, in evaluation mode, alike in length."""
        self.model.eval()
        lengths = {row: feed.length(row) for row in rows}
        table = [lengths.get(row, 0) for row in range(max(rows) + 1)] if rows else []
        for micro in micro_batches(rows, table, self.plan.recipe.train.max_tokens):
            yield micro, feed.batch(micro, [view] * len(micro), want)


def chosen_model(plan: Plan, run: Path) -> Model:
    """Return the model of a finished run with its chosen weights. Raises RecipeError where they are not whole."""
    epoch = read_json(run / "selection.json").get("epoch", "missing")
    if epoch is None:  # nothing was trained: the model as it is loaded
        return build_model(plan, best_device())
    if type(epoch) is not int or not 0 <= epoch < 10**9:
        raise RecipeError(str(run / "selection.json"), [Problem("epoch", "is not the number of an epoch")])
    folder = run / "checkpoints" / name_of(epoch)
    checkpoint = load_checkpoint(folder, fingerprints_of(run))
    if checkpoint is None:
        flaw = damage_in(folder) or foreign_in(folder, fingerprints_of(run))
        raise RecipeError(str(run), [Problem("checkpoints", f"{folder.name} cannot be used: {flaw}")])
    model = build_model(plan, best_device())
    model.load_trained_state(checkpoint.tensors("model"))
    return model
