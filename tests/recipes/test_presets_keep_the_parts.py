"""A preset says how large the parts of a recipe are; which parts there are is the recipe's to say."""

from __future__ import annotations

from pathlib import Path

import pytest

import skinframe
from skinframe.planning.cost_estimate import module_rows

ROOT = Path(__file__).resolve().parents[2] / "recipes"
PRESETS = ["mobilenet", "qwen3b", "qwen7b", "ham10000"]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("recipe", ["probe", "probe_balanced"])
def test_a_linear_probe_stays_one_under_every_preset(recipe: str, preset: str) -> None:
    plan = skinframe.plan(ROOT / "baselines" / f"{recipe}.yaml", presets=[preset])
    assert plan.recipe.heads["classify"].use == "pooled_linear"
    assert not plan.uses_reasoner
    trained = [row for row in module_rows(plan) if row.role in ("trained", "lora")]
    assert sum(row.parameters for row in trained) < 50_000, trained
    assert not any(row.role == "lora" for row in trained)
    assert [part.name for part in plan.parts.losses.values()] == ["cross_entropy"]


def test_a_preset_still_replaces_what_the_recipe_left_alone(tmp_path: Path) -> None:
    plain = skinframe.plan(ROOT / "cfa_full.yaml", presets=["mobilenet"])
    assert plain.recipe.heads["classify"].use == "fused"
    assert plain.recipe.losses["calibration"].use == "mmce"
    own = tmp_path / "own.yaml"
    own.write_text(
        f"extends: {ROOT / 'cfa_full.yaml'}\nname: own\nlosses:\n  calibration: {{enabled: false}}\n"
        "  focal: {use: cross_entropy, config: {class_weights: none}}\n"
    )
    changed = skinframe.plan(own, presets=["mobilenet"])
    assert not changed.recipe.losses["calibration"].enabled
    assert changed.recipe.losses["focal"].use == "cross_entropy"
    assert changed.recipe.heads["classify"].use == "fused"


def test_set_still_has_the_last_word() -> None:
    probe = ROOT / "baselines" / "probe.yaml"
    plan = skinframe.plan(probe, presets=["mobilenet"], overrides=["heads.classify.use=linear"])
    assert plan.recipe.heads["classify"].use == "linear"
