"""The plan of a grid as text: what each arm drops, which runs are complete, and the remaining cost."""

from __future__ import annotations

from collections import Counter
from statistics import median

from skinframe.grid.engines.engine_base import Engine
from skinframe.grid.grid import Grid, minutes, state
from skinframe.grid.grid_result import differs
from skinframe.planning.cost_estimate import sizes
from skinframe.planning.plan_text import size_text


def grid_text(grid: Grid, engine: Engine) -> str:
    """Return what is printed before anything starts. Imports torch for the sizes; loads no weights."""
    recipe, states = grid.main.recipe, Counter(map(state, grid.items))
    runs = f"{len(grid.arms)} arms x {len(grid.seeds)} seeds = {len(grid.items)} runs"
    lines = [
        f"{grid.kind} of {recipe.name} · scale {recipe.scale} · {runs}",
        f"seeds {', '.join(map(str, grid.seeds))}, paired · one split for all, seed {recipe.division_seed}",
        f"compared in {', '.join(grid.metrics)}; the reference is '{grid.reference}'",
        "",
    ]
    width = max(len(arm.name) for arm in grid.arms) + 2
    for arm in grid.arms:
        plan = grid.plans[arm.name]
        notes = [f"dropped: {'; '.join(map(str, plan.graph.dropped))}"] if plan.graph.dropped else []
        notes += [f"set: {'; '.join(differs(grid, arm.name))}"] if differs(grid, arm.name) else []
        lines.append(f"{arm.name:<{width}}{' · '.join(notes) or 'everything as in the recipe'}")
    lines += ["", f"runs      {states['done']} done, {states['begun']} begun, {states['to do']} to do, on {engine}"]
    lines += [*_costs(grid), f"report    {grid.folder}"]
    for requirement in grid.main.missing:
        lines += [f"missing   {requirement.kind}: {requirement.what}; next: {requirement.next_step}"]
    return "\n".join(lines)


def _costs(grid: Grid) -> list[str]:
    """Return compute, disk and, where runs of this grid have been timed, time."""
    recipe, costs = grid.main.recipe, sizes(grid.main)
    left = sum(state(item) != "done" for item in grid.items)
    lines = []
    if costs.images is not None:
        seen = costs.images * recipe.split.train * recipe.epochs
        each = seen * costs.flops_per_sample / 1e12
        lines.append(f"compute   {each:,.3g} TFLOP per run in training, {each * left:,.3g} in all, features cached")
        cache = f" · features {size_text(costs.cache_per_image * costs.images)}, once for all arms"
    else:
        cache = f" · features {size_text(costs.cache_per_image)} per image, once for all arms"
    kept = costs.checkpoint * recipe.train.checkpoints(recipe.epochs)
    lines.append(f"disk      up to {size_text(kept)} of checkpoints per run, {size_text(kept * left)} in all{cache}")
    timed = [duration for duration in map(minutes, grid.items) if duration is not None]
    if timed and left:
        lines.append(f"time      {median(timed):.1f} minutes per run, as timed in {len(timed)} of these runs")
    elif left:
        lines.append("time      unknown until a first run has finished; rerun with --plan to see it")
    return lines
