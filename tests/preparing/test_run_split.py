"""What a run's split keeps of the file that it was read from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import skinframe
from skinframe.data.group_split import make_split
from skinframe.data.split_file import write_split
from skinframe.preparing.run_split import divide
from skinframe.progress import Display


def test_near_duplicates_of_a_split_file_stay_known_to_the_run(small: Any, tmp_path: Path) -> None:
    """A run that does not look for them, or finds none, must not part them later."""
    path = tmp_path / "frozen.json"
    options = ["data.config.images=150", "split.near_duplicates=false", f"split.file={path}"]
    plan = skinframe.plan(small.recipe, overrides=[*small.overrides, *options])
    samples = plan.parts.dataset.samples()
    keys = [sample.id for sample in samples]
    free = make_split(samples, seed=0)
    near = [(free.valid[0], free.valid[1]), (free.train[0], free.train[5])]
    write_split(path, make_split(samples, seed=0, near=near), samples, keys, near)

    def image(row: int) -> Any:
        raise AssertionError("nothing is looked for")

    divided = divide(plan, samples, keys, image, tmp_path / "run", tmp_path / "cache", Display())
    assert not divided.searched
    assert divided.near == sorted((min(pair), max(pair)) for pair in near)
    written = json.loads((tmp_path / "run" / "split.json").read_text())
    assert written["near"] == json.loads(path.read_text())["near"]
    assert len(written["near"]) == 2
