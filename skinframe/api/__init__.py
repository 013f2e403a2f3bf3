"""The command line's verbs as Python functions."""

from __future__ import annotations

from skinframe.api.authoring import check, new, show
from skinframe.api.data import audit_data, split_data
from skinframe.api.judging import compare, evaluate, predict, report
from skinframe.api.running import plan, reproduce, run, verify

__all__ = [
    "audit_data",
    "check",
    "compare",
    "evaluate",
    "new",
    "plan",
    "predict",
    "report",
    "reproduce",
    "run",
    "show",
    "split_data",
    "verify",
]
