"""The validation part in two: patients that choose the epoch, and others on whom the calibrator is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from skinframe.data.crossing import Keys, Pairs
from skinframe.data.split import make_split
from skinframe.errors import DataError
from skinframe.sample import Sample

SHARED = "the calibrator was fitted on the images that chose the epoch, and its figures are a little too good"
LEAST_GROUPS = 20  # in each half; fewer say nothing of an epoch or a temperature


@dataclass(frozen=True)
class Folds:
    """Rows that choose the epoch, rows that fit the calibrator, and what to know where they are the same."""

    selection: tuple[int, ...]
    calibration: tuple[int, ...]
    warning: str = ""

    @property
    def own(self) -> bool:
        """Whether the calibrator has patients of its own."""
        return self.selection != self.calibration


def calibration_fold(
    samples: Sequence[Sample],
    rows: Sequence[int],
    *,
    share: float,
    seed: int,
    keys: Keys = None,
    near: Pairs = (),
    level: str = "group",
) -> Folds:
    """Take `share` of the validation rows for calibration, by whole components and stratified by class.

    Both are all rows, with a warning, where share is 0 and where either half would hold too few groups.
    """
    everything = tuple(rows)
    if not share:
        return Folds(everything, everything, f"calibration is 0, so that validation has no fold of its own: {SHARED}")
    chosen = [replace(samples[row], split=None) for row in everything]
    own = None if keys is None else [keys[row] for row in everything]
    place = {row: i for i, row in enumerate(everything)}
    alike = [(place[first], place[second]) for first, second in near if first in place and second in place]
    groups = len({sample.group for sample in chosen})
    try:
        found = make_split(chosen, fractions=(1 - share, share, 0.0), seed=seed, keys=own, near=alike)
    except DataError:
        found = None
    halves = [] if found is None else [tuple(everything[i] for i in part) for part in (found.train, found.valid)]
    if not halves or min(len({samples[row].group for row in half}) for half in halves) < LEAST_GROUPS:
        return Folds(
            everything,
            everything,
            f"validation has only {groups} {level}s, too few for a calibration fold of its own: {SHARED}",
        )
    return Folds(halves[0], halves[1])
