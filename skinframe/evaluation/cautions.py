"""What a reader must know of an interval before quoting it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skinframe.evaluation.bootstrap import Replicates
from skinframe.weighted import Ints

FEW_GROUPS = 20  # below, even the widened interval covers too little
FEW_HOLDERS = 5  # a class that fewer groups show is likely to be missing from some resamples


def warnings_of(found: Replicates, groups: int) -> tuple[str, ...]:
    """Return what a reader must know of an interval: few groups, undefined resamples, no variation."""
    undefined = int(np.isnan(found.resampled).sum())
    share = found.trials is not None  # its interval is not read off the resamples
    flat = len(found.resampled) > undefined and np.nanmax(found.resampled) == np.nanmin(found.resampled)
    return tuple(
        text
        for holds, text in (
            (groups < FEW_GROUPS, f"only {groups} groups: the interval is not reliable below {FEW_GROUPS}"),
            (undefined > 0 and not share, f"undefined in {undefined} of {len(found.resampled)} resamples"),
            (flat and not share, "all resamples agree: the interval says nothing about values that were not seen"),
        )
        if holds
    )


def class_warnings(labels: Ints, classes: int, groups: Sequence[str]) -> tuple[str, ...]:
    """Return what a reader must know of the classes: those without a sample, and those that few groups stand for."""
    holders = [len({groups[row] for row in np.flatnonzero(labels == c).tolist()}) for c in range(classes)]
    absent, rare = sum(held == 0 for held in holders), sum(0 < held < FEW_HOLDERS for held in holders)
    return tuple(
        text
        for holds, text in (
            (absent, f"{absent} of {classes} classes have no sample here"),
            (rare, f"{rare} of {classes} classes come from fewer than {FEW_HOLDERS} groups each"),
        )
        if holds
    )
