"""What a run was trained on, in one sentence: for its report, for an evaluation elsewhere and for each prediction."""

from __future__ import annotations

from pathlib import Path

from skinframe.components import Dataset
from skinframe.planning import Plan
from skinframe.predicting.finished_run import read_json

DRAWINGS = "drawings made by a program, not photographs of any person: its answers say nothing about real skin"


def training_sentence(dataset: Dataset, images: int, groups: int | None = None, *, trains: bool = True) -> str:
    """Say what a model was trained on; a synthetic set is called drawings, in so many words."""
    if not trains:
        return "Nothing was trained: the weights are those that were loaded."
    of = f" of {groups:,} {dataset.level}s" if groups is not None else ""
    kind = f", {DRAWINGS}" if dataset.synthetic else ""
    return f"Trained on {images:,} images{of} of {dataset.name}{kind}."


def trained_on(run: Path, plan: Plan) -> str:
    """Return the sentence of a finished run, from its own split."""
    parts = read_json(run / "split.json")["parts"]
    return training_sentence(plan.parts.dataset, len(parts["train"]), trains=plan.recipe.trains)
