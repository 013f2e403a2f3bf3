"""Trackers get every number of the training log; TensorBoard is one of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from skinframe.errors import RecipeError
from skinframe.train.tensorboard import TensorBoard
from skinframe.train.training_log import Trackers, tracked_values

LINE = {
    "total": 1.5,
    "grad_norm": 0.25,
    "rate": 1.0,
    "parts": {"focal": {"weight": 1.0, "value": 0.5, "grad_norm": 0.1}, "calibration": {"weight": 0.0}},
}
PLUGIN = '''
from pathlib import Path

import skinframe


class Csv(skinframe.Tracker):
    """Writes one number per line."""

    name = "csv"

    def start(self, folder, run, settings):
        self.file = Path(folder) / "numbers.csv"
        self.lines = [f"run,{run},{settings['seed']}"]

    def log(self, step, values):
        if FAILS:
            raise ZeroDivisionError("nothing to divide")
        self.lines += [f"{step},{name},{value!r}" for name, value in values.items()]

    def close(self):
        self.file.write_text("\\n".join(self.lines))


@skinframe.hookimpl
def register_trackers():
    return [Csv]
'''


def plan_with(**trackers: Any) -> Any:
    return SimpleNamespace(
        parts=SimpleNamespace(trackers=trackers), run_name="run", identity={"seed": "1"}, source="recipe"
    )


def test_every_number_of_a_line_is_named() -> None:
    assert tracked_values(LINE) == {
        "total": 1.5,
        "grad_norm": 0.25,
        "rate": 1.0,
        "focal/weight": 1.0,
        "focal/value": 0.5,
        "focal/grad_norm": 0.1,
        "calibration/weight": 0.0,
    }


def test_tensorboard_holds_parts_weights_and_norms(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with Trackers(plan_with(board=TensorBoard()), tmp_path) as trackers:
        trackers.log(3, LINE)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert set(events.Tags()["scalars"]) == set(tracked_values(LINE))
    assert [(event.step, event.value) for event in events.Scalars("focal/value")] == [(3, 0.5)]


def test_without_trackers_nothing_is_written(tmp_path: Path) -> None:
    with Trackers(plan_with(), tmp_path) as trackers:
        trackers.log(0, LINE)
    assert not any(tmp_path.iterdir())


def plugin(folder: Path, fails: bool) -> Path:
    path = folder / "csv_tracker.py"
    path.write_text(PLUGIN.replace("FAILS", str(fails)))
    return path


def test_a_plugin_file_tracks_a_run_beside_tensorboard(small: Any, full: Any, tmp_path: Path) -> None:
    """And changes no number of it."""
    import json

    preset = tmp_path / "tracked.yaml"
    preset.write_text("trackers: {table: {use: csv}}\ntrain: {epochs: 1, tensorboard: true}\n")
    run = small.run(tmp_path / "out", presets=[str(preset)], plugins=[plugin(tmp_path, fails=False)]).folder
    head, *rows = (run / "numbers.csv").read_text().splitlines()
    assert head == f"run,{run.name},17"
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    expected = [
        f"{n + 1},{key},{value!r}" for n, line in enumerate(lines) for key, value in tracked_values(line).items()
    ]
    assert rows == expected
    assert list((run / "tensorboard").glob("events.*"))
    assert (run / "log.jsonl").read_bytes() == (full.folder / "log.jsonl").read_bytes()


def test_a_tracker_that_fails_is_named(small: Any, tmp_path: Path) -> None:
    preset = tmp_path / "tracked.yaml"
    preset.write_text("trackers: {table: {use: csv}}\ntrain: {epochs: 1}\n")
    with pytest.raises(RecipeError, match=r"trackers\.table: 'csv' raised ZeroDivisionError: nothing to divide"):
        small.run(tmp_path / "out", presets=[str(preset)], plugins=[plugin(tmp_path, fails=True)])
    assert list(tmp_path.glob("out/*/numbers.csv"))  # it was closed
