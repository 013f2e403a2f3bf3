"""The command line's verbs as Python functions."""

from __future__ import annotations

from skinframe.api.authoring import check, new, show
from skinframe.api.data import audit_data, split_data
from skinframe.api.grids import ablate, learning_curve, sweep
from skinframe.api.judging import compare, evaluate, predict, report
from skinframe.api.running import plan, reproduce, run, selftest, verify

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
