"""A run is one process: several, each on the whole data, would look like a success and be none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skinframe.errors import RecipeError


@pytest.mark.parametrize("name", ["WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"])
def test_several_processes_are_refused(small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "2")
    with pytest.raises(RecipeError, match=f"{name}: says 2 processes, and a run is one process") as found:
        small.run(tmp_path)
    assert found.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", ["1", "", "many"])
def test_one_process_under_a_launcher_is_a_run(count: str) -> None:
    from skinframe.planning.load_plan import refuse_processes

    refuse_processes({"WORLD_SIZE": count})
