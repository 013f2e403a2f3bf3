"""Runs of one process read the same images once; whatever could make them others is read anew."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from skinframe.planning import Plan
from skinframe.planning.load_plan import plan_of
from skinframe.preparing.image_cache import ImageTableCache
from skinframe.progress import Display

QUIET = Display(quiet=True)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each image of the synthetic set is drawn."""
    from skinframe_tiny.synthetic_dermoscopy import SyntheticDermoscopy

    count: Counter[str] = Counter()
    real = SyntheticDermoscopy.image_bytes

    def counted(self: SyntheticDermoscopy, sample: Any) -> bytes:
        count[sample.id] += 1
        return real(self, sample)

    monkeypatch.setattr(SyntheticDermoscopy, "image_bytes", counted)
    return count


def planned(small: Any, *overrides: str) -> Plan:
    return plan_of(small.recipe, (), [*small.overrides, "images.workers=1", *overrides], (), ())


def taken(image_tables: ImageTableCache, plan: Plan) -> Any:
    return image_tables.images(plan, list(plan.parts.dataset.samples()), QUIET)


def test_another_seed_and_another_loss_get_the_same_table(small: Any, drawn: Counter[str]) -> None:
    image_tables = ImageTableCache()
    first = taken(image_tables, planned(small))
    assert set(drawn.values()) == {1}
    assert taken(image_tables, planned(small, "seed=23")) is first
    assert taken(image_tables, planned(small, "losses.focal.config.gamma=0")) is first
    assert set(drawn.values()) == {1}


@pytest.mark.parametrize("change", ["data.config.seed=1", "data.config.images=100", "images.max_bytes=5000000"])
def test_other_data_or_rules_of_reading_are_read_anew(small: Any, drawn: Counter[str], change: str) -> None:
    image_tables = ImageTableCache()
    first = taken(image_tables, planned(small))
    other = taken(image_tables, planned(small, change))
    assert other is not first
    assert sum(drawn.values()) == len(first.samples) + len(other.samples)
    assert taken(image_tables, planned(small)).keys == first.keys


def test_rows_that_changed_are_read_anew(small: Any) -> None:
    image_tables, plan = ImageTableCache(), planned(small)
    rows = list(plan.parts.dataset.samples())
    assert len(image_tables.images(plan, rows[:20], QUIET).keys) == 20
    assert len(image_tables.images(plan, rows[:21], QUIET).keys) == 21


def test_a_second_run_draws_no_image_again_and_writes_the_same(small: Any, drawn: Counter[str], tmp_path: Path) -> None:
    from skinframe.running.run_recipe import run

    image_tables = ImageTableCache()
    folders = {}
    for where, kept in (("fresh", None), ("first", image_tables), ("second", image_tables)):
        drawn.clear()
        plan = planned(small, "train.epochs=1")
        folders[where] = run(plan, out=tmp_path / where, cache=small.cache, display=QUIET, image_tables=kept).folder
    assert not drawn
    for name in ("predictions/test.parquet", "split.json", "validation.json"):
        assert (folders["second"] / name).read_bytes() == (folders["fresh"] / name).read_bytes()
