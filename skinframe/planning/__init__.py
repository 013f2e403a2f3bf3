"""Recipe and catalog become a frozen plan, or a list of every problem. Loads no weights."""

from skinframe.planning.plan import Plan, make_plan

__all__ = ["Plan", "make_plan"]
