"""The laws of a tracker. Each takes a tracker and drawn steps to record, and asserts."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from hypothesis import strategies as st

from skinframe.components import Tracker
from skinframe.testing.law_and_check import Law, Suite

Steps = Sequence[Mapping[str, float]]


def recorded(tracker: Tracker, steps: Steps) -> None:
    """It takes each step's numbers, whatever their names and whether they are finite."""
    with tempfile.TemporaryDirectory() as folder:
        _record(tracker, Path(folder), steps, 0)


def resumed(tracker: Tracker, steps: Steps) -> None:
    """A fresh tracker takes up the folder of one that was closed."""
    with tempfile.TemporaryDirectory() as folder:
        _record(type(tracker)(tracker.config), Path(folder), steps, 0)
        _record(type(tracker)(tracker.config), Path(folder), steps, len(steps))


def pure(tracker: Tracker, steps: Steps) -> None:
    """The numbers and the settings are left as they were."""
    own = [dict(values) for values in steps]
    settings = {"train.epochs": "2"}
    with tempfile.TemporaryDirectory() as folder:
        tracker.start(Path(folder), "kit", settings)
        for step, values in enumerate(own):
            tracker.log(step, values)
        tracker.close()
    assert settings == {"train.epochs": "2"}, "the settings were changed"
    for before, after in zip(steps, own, strict=True):
        assert repr(dict(before)) == repr(after), f"{dict(before)} became {after}"


LAWS = (recorded, resumed, pure)
NAMES = st.sampled_from(["total", "rate", "grad_norm", "focal/value", "focal/weight", "a new name"])
STEPS = st.lists(st.dictionaries(NAMES, st.floats(width=32), min_size=1), min_size=1, max_size=4)
TRACKER = Suite("tracker", tuple(map(Law, LAWS)), lambda tracker, law: STEPS, examples=4)


def _record(tracker: Tracker, folder: Path, steps: Steps, first: int) -> None:
    tracker.start(folder, "kit", {"train.epochs": "2"})
    for step, values in enumerate(steps):
        tracker.log(first + step, dict(values))
    tracker.close()
