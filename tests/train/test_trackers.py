"""TensorBoard gets every part of the loss, through accelerate's tracker."""

from __future__ import annotations

from pathlib import Path

from skinframe.train.trackers import Tracker

LINE = {
    "total": 1.5,
    "grad_norm": 0.25,
    "rate": 1.0,
    "parts": {"focal": {"weight": 1.0, "value": 0.5, "grad_norm": 0.1}, "calibration": {"weight": 0.0}},
}


def test_parts_weights_and_norms_are_written(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tracker = Tracker(tmp_path)
    tracker.log(3, LINE)
    tracker.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    tags = set(events.Tags()["scalars"])
    assert {"total", "grad_norm", "rate", "focal/value", "focal/weight", "focal/grad_norm"} <= tags
    assert [(event.step, event.value) for event in events.Scalars("focal/value")] == [(3, 0.5)]


def test_nothing_is_written_unasked(tmp_path: Path) -> None:
    tracker = Tracker(None)
    tracker.log(0, LINE)
    tracker.close()
    assert not any(tmp_path.iterdir())
