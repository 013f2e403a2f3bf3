"""Frozen towers work once: their outputs are cached, and no epoch calls them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skinframe.preparing.prepared_data import Prepared


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the towers' calls whenever the engine asks for their number: before and after training."""
    import skinframe.running.run_recipe as engine

    counts: list[int] = []

    class Counting(Prepared):
        @property
        def tower_calls(self) -> int:
            counts.append(super().tower_calls)
            return counts[-1]

    real = engine.prepare

    def prepare(*arguments: Any, **options: Any) -> Prepared:
        prepared = real(*arguments, **options)
        prepared.__class__ = Counting
        return prepared

    monkeypatch.setattr(engine, "prepare", prepare)
    return counts


def test_towers_are_called_for_extraction_and_never_in_training(small: Any, tmp_path: Path, seen: list[int]) -> None:
    small.run(tmp_path / "out", "train.epochs=1", cache=tmp_path / "cache")
    assert len(seen) == 2
    assert seen[0] > 0
    assert seen[1] == seen[0]


def test_with_a_filled_cache_no_tower_is_loaded_before_training_ends(
    small: Any, finished: Path, tmp_path: Path, seen: list[int]
) -> None:
    small.run(tmp_path / "out", "train.epochs=1")
    assert seen == [0, 0]


def test_a_call_in_training_stops_the_run(small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The assertion itself can fail."""
    import skinframe.running.run_training as training

    real = training.validate

    def peeking(prepared: Prepared, *rest: Any) -> Any:
        name, encoder = next(iter(prepared.plan.parts.encoders.items()))
        prepared.tower(name, encoder).images([prepared.image(0)])
        return real(prepared, *rest)

    monkeypatch.setattr(training, "validate", peeking)
    with pytest.raises(AssertionError, match="frozen tower was called"):
        small.run(tmp_path / "out", "train.epochs=1")
