"""Noise floors are simulations: drawn where the log holds gradient norms, and at no other step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import skinframe


def test_floors_stand_beside_the_norms_and_nowhere_else(finished: Path) -> None:
    lines = [json.loads(line) for line in (finished / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    parts = [line["parts"]["calibration"] for line in lines]
    assert any("floor" in part for part in parts)
    for step, part in enumerate(parts):
        assert ("floor" in part) == ("value" in part and step % 2 == 0)  # every second step by the small recipe
        assert ("grad_norm" in part) == ("floor" in part)


def test_a_term_with_a_history_is_fed_the_rows_of_its_samples(small: Any) -> None:
    overrides = [*small.overrides, "losses.calibration.use=correctness_ranking"]
    plan = skinframe.plan(small.recipe, overrides=overrides)
    assert plan.graph.terms["calibration"]["sample_ids"] == "batch.sample_ids"
