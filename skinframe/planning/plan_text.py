"""The plan as text: the module table, what was dropped, what it costs, what is missing and the next step."""

from __future__ import annotations

import dataclasses
from typing import Any

from skinframe.planning.cost_estimate import Sizes
from skinframe.planning.plan import Plan
from skinframe.planning.stage_parts import counted_parts, stage_lines
from skinframe.recipe.yaml_text import dump


def plan_yaml(plan: Plan) -> str:
    """Return the recipe with every default filled in, the signal graph, plugin versions and the fingerprint."""
    filled: dict[str, Any] = dataclasses.asdict(plan.recipe)
    filled["data"]["config"] = dataclasses.asdict(plan.parts.dataset.config)
    for kind in ("encoders", "heads", "losses"):
        for name, component in getattr(plan.parts, kind).items():
            filled[kind][name]["config"] = dataclasses.asdict(component.config)
    for kind in ("prompt", "reasoner", "balancer", "calibrator", "explainer"):
        component = getattr(plan.parts, kind)
        if component is not None:
            filled[kind]["config"] = dataclasses.asdict(component.config)
    statement = {
        "recipe": _plain(filled),
        "graph": plan.graph.statement(),
        "dropped": {part.path: part.reason for part in plan.graph.dropped},
        "origins": dict(plan.origins),
        "identity": dict(sorted(plan.identity.items())),
        "fingerprint": plan.fingerprint,
    }
    return dump(statement)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def plan_text(plan: Plan, costs: Sizes) -> str:
    """Return what `skinframe plan` prints."""
    recipe = plan.recipe
    lines = [f"{recipe.name} · scale {recipe.scale} · seed {recipe.seed} · fingerprint {plan.fingerprint[:8]}", ""]
    lines += _components(plan)
    if plan.graph.dropped:
        lines += ["", f"dropped: {'; '.join(map(str, plan.graph.dropped))}"]
    lines += ["", "signal graph", *plan.graph.picture()]
    lines += ["", f"{'module':<44}{'role':<9}{'parameters':>16}{'bytes':>12}"]
    for row in costs.rows:
        lines.append(f"{row.name:<44}{row.role:<9}{row.parameters:>16,}{size_text(row.bytes):>12}")
    for role in ("frozen", "nf4", "lora", "trained"):
        if costs.parameters(role):
            lines.append(f"{'total ' + role:<53}{costs.parameters(role):>16,}")
    stages = stage_lines(recipe, counted_parts(costs.rows))
    lines += ["", *stages] if stages else []
    lines += ["", *_costs(costs, plan)]
    if plan.missing:
        lines += ["", "missing on this machine:"]
        for requirement in plan.missing:
            expected = f"; {size_text(costs.memory)} expected in all" if requirement.kind == "gpu" else ""
            lines += [f"  {requirement.kind}: {requirement.what}{expected}", f"    next: {requirement.next_step}"]
    return "\n".join(lines)


def _components(plan: Plan) -> list[str]:
    lines = []
    dropped = {part.path for part in plan.graph.dropped}
    for path, origin in plan.origins.items():
        kind, _, name = path.partition(".")
        if kind == "metrics" or path in dropped:
            continue
        if kind == "columns":  # by signal, whether or not the recipe gives it options
            lines.append(f"{path:<22}{plan.parts.columns[name].name:<22}{origin}")
            continue
        part: Any = getattr(plan.recipe, kind)
        part = part[name] if name else part
        weight = f"  weight {part.weight}" if kind == "losses" else ""
        lines.append(f"{path:<22}{part.use:<22}{origin}{weight}")
    return lines


def _costs(costs: Sizes, plan: Plan) -> list[str]:
    images = f"{costs.images:,}" if costs.images is not None else "unknown (data missing)"
    total = f" = {size_text(costs.cache_per_image * costs.images)}" if costs.images is not None else ""
    return [
        f"images                {images}",
        f"feature cache         {size_text(costs.cache_per_image)} an image{total}",
        f"checkpoint            {size_text(costs.checkpoint)} (adapters, connector, heads and their optimiser state)",
        f"memory, expected      {size_text(costs.memory)} (an estimate: weights, optimiser, activations of "
        f"{plan.recipe.train.max_tokens:,} tokens)",
        f"compute a sample      {costs.flops_per_sample / 1e12:.3g} TFLOP (forward and backward, features cached)",
    ]


def size_text(count: float) -> str:
    """Return bytes in the largest unit below a thousand of the next."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")
