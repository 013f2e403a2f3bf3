"""`skinframe plan`: what a run would do, cost and need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from skinframe.verbs.command_from_signature import Command, Option
from skinframe.verbs.shared_options import Overrides, Plugins, Presets, RecipeFile, Without

if TYPE_CHECKING:
    from skinframe.planning import Plan


def plan(
    recipe: RecipeFile,
    *,
    presets: Presets = (),
    overrides: Overrides = (),
    without: Without = (),
    plugins: Plugins = (),
) -> Plan:
    """Return the plan of a recipe; loads no weights. Raises RecipeError with every problem at once."""
    from skinframe.planning.load_plan import plan_of

    return plan_of(recipe, presets, overrides, without, plugins)


def _text(*, yaml: Annotated[bool, Option("print the whole plan as YAML")] = False, **options: Any) -> str:
    made = plan(**options)
    from skinframe.planning.plan_text import plan_text, plan_yaml

    if yaml:
        return plan_yaml(made)
    from skinframe.progress import Display

    Display().say("plan: counting parameters, memory and FLOPs (imports torch and transformers)")
    from skinframe.planning.cost_estimate import sizes

    return plan_text(made, sizes(made))


COMMAND = Command("plan", plan, "show what a run would do, cost and need; loads no weights", _text)
