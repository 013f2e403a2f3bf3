"""The verbs of the command line, one a file: `add` declares its options, and what it sets as `verb` runs it.

Importing a verb loads nothing heavy: what it needs is imported when it runs.
"""

from __future__ import annotations

from collections.abc import Callable

from skinframe.verbs.commands import (
    ablate,
    check,
    compare,
    data,
    evaluate,
    learning_curve,
    listing,
    new,
    plan,
    predict,
    report,
    reproduce,
    run,
    selftest,
    show,
    sweep,
    verify,
)
from skinframe.verbs.commands.options import Verbs

# in the order of the help
VERBS: tuple[Callable[[Verbs], None], ...] = (
    run.add,
    plan.add,
    listing.add,
    show.add,
    new.add,
    check.add,
    report.add,
    compare.add,
    ablate.add,
    sweep.add,
    learning_curve.add,
    evaluate.add,
    predict.add,
    verify.add,
    reproduce.add,
    selftest.add,
    data.add,
)
