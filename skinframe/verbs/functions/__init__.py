"""The command line's verbs as Python functions."""

from __future__ import annotations

from skinframe.verbs.functions.authoring import check, new, show
from skinframe.verbs.functions.data import audit_data, split_data
from skinframe.verbs.functions.grids import ablate, learning_curve, sweep
from skinframe.verbs.functions.judging import compare, evaluate, predict, report
from skinframe.verbs.functions.running import plan, reproduce, run, selftest, verify

__all__ = [
    "ablate",
    "audit_data",
    "check",
    "compare",
    "evaluate",
    "learning_curve",
    "new",
    "plan",
    "predict",
    "report",
    "reproduce",
    "run",
    "selftest",
    "show",
    "split_data",
    "sweep",
    "verify",
]
