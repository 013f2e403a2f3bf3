"""`skinframe compare`: finished runs on the same test samples."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from skinframe.verbs.command_from_signature import Command, Option, words_about

if TYPE_CHECKING:
    from skinframe.reporting.run_comparison import Comparison

SIGN, EXAMPLE = "METRIC=SIZE", "balanced_accuracy=0.02"


def _margin(text: str) -> tuple[str, float]:
    name, size = words_about(SIGN, EXAMPLE)(text)
    try:
        return name, float(size)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected {SIGN}, for example {EXAMPLE}, got {text!r}") from None


def compare(
    *runs: Annotated[
        str | Path, Option("run folders, or CSV or Parquet tables of predictions; two or more", metavar="RUN")
    ],
    margins: Annotated[
        Mapping[str, float] | None,
        Option(
            f"test non-inferiority and equivalence (TOST) within this margin, such as {EXAMPLE}; repeatable",
            "--margin",
            SIGN,
            _margin,
        ),
    ] = None,
) -> Comparison:
    """Compare finished runs, or tables of any system's predictions, on the same test samples.

    `margins` gives, by metric, the largest difference that does not matter. Raises DataError where the samples differ,
    RecipeError for fewer than two runs or a margin that cannot be tested.
    """
    from skinframe.finished.rewrite_and_compare import compare_runs

    return compare_runs([Path(run) for run in runs], margins)


def _text(*runs: str, margins: Mapping[str, float] | None = None) -> str:
    from skinframe.reporting.terminal_text import comparison_text

    return comparison_text(compare(*runs, margins=margins))


COMMAND = Command(
    "compare", compare, "compare finished runs, or tables of predictions, on the same test samples", _text
)
