"""Room 2: names become components, needs meet provides, what nothing reads is dropped. Loads no weights."""

from skinframe.planning.plan import Plan, make_plan

__all__ = ["Plan", "make_plan"]
