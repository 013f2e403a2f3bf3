"""`skinframe plan`: what a run would do, cost and need."""

from __future__ import annotations

import argparse

from skinframe.verbs.commands.options import Verbs, planned, recipe_options


def add(verbs: Verbs) -> None:
    plan = verbs.add_parser("plan", help="show what a run would do, cost and need; loads no weights")
    recipe_options(plan)
    plan.add_argument("--yaml", action="store_true", help="print the whole plan as YAML")
    plan.set_defaults(verb=_plan)


def _plan(options: argparse.Namespace) -> None:
    plan = planned(options)
    from skinframe.planning.show import plan_text, plan_yaml
    from skinframe.planning.sizes import sizes

    print(plan_yaml(plan) if options.yaml else plan_text(plan, sizes(plan)))
