"""The parts trained in each stage: checked by the plan, shown with their parameter counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from skinframe.components import ModuleRow
from skinframe.errors import Problem, did_you_mean
from skinframe.recipe.recipe_schema import Recipe, StagePlan


def stage_problems(recipe: Recipe, heads: Sequence[str], reasoner: bool) -> list[Problem]:
    """Return the parts of stages that no model of this recipe has."""
    known = [*(["heads"] if heads else []), *(f"heads.{name}" for name in heads)]
    known += ["reasoner", "reasoner.adapter", "reasoner.connector"] if reasoner else []
    return [
        Problem(f"stages.{index}.parts", f"'{part}' is no trained part of this recipe{did_you_mean(part, known)}")
        for index, stage in enumerate(recipe.stages)
        for part in stage.parts
        if part not in known
    ]


def counted_parts(rows: Iterable[ModuleRow]) -> dict[str, int]:
    """Return the trained parameters of each part, from the rows of the module table."""
    sizes: dict[str, int] = {}
    for row in rows:
        if row.role in ("lora", "trained"):
            own = "reasoner.adapter" if row.role == "lora" else "reasoner.connector"
            part = row.name if row.name.startswith("heads.") else own
            sizes[part] = sizes.get(part, 0) + row.parameters
    return sizes


def stage_lines(recipe: Recipe, sizes: Mapping[str, int]) -> list[str]:
    """Return a line per stage and one that names the parts in no stage; nothing for a recipe without stages."""
    if not recipe.stages:
        return []
    stages = recipe.stage_plans
    trained = {part for stage in stages if stage.train.epochs for part in _parts_of(stage, sizes)}
    lines = [f"stage {index + 1}: {_stage_text(stage, sizes)}" for index, stage in enumerate(stages)]
    frozen = [part for part in sizes if part not in trained]
    return [*lines, f"frozen in every stage: {', '.join(frozen)}"] if frozen else lines


def _stage_text(stage: StagePlan, sizes: Mapping[str, int]) -> str:
    parts = _parts_of(stage, sizes)
    count = sum(sizes[part] for part in parts)
    epochs = f"{stage.train.epochs} epoch{'' if stage.train.epochs == 1 else 's'}"
    rates = f"lr {stage.train.lr:g}"
    rates += "" if stage.train.head_lr is None else f", head_lr {stage.train.head_lr:g}"
    rates += "" if stage.train.connector_lr is None else f", connector_lr {stage.train.connector_lr:g}"
    patience = f", patience {stage.select.patience}" if stage.select.patience else ""
    return f"{', '.join(parts)} ({count:,} parameters); {epochs}, {rates}, best by {stage.select.by}{patience}"


def _parts_of(stage: StagePlan, sizes: Mapping[str, int]) -> Sequence[str]:
    """Return the parts of the model that a stage trains; it may name a group of them, or none for all."""
    if not stage.parts:
        return list(sizes)
    return [part for part in sizes if any(part == named or part.startswith(f"{named}.") for named in stage.parts)]
