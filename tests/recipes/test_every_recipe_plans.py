"""Every recipe plans, alone and under every preset: with no weights and no data on the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

import skinframe
from skinframe.grid import ablation_sweep_curve
from skinframe.grid.run_request import Request
from skinframe.planning.cost_estimate import sizes
from skinframe.planning.plan_text import plan_text, plan_yaml

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted(path for path in (ROOT / "recipes").rglob("*.yaml") if path.parent.name != "presets")
PRESETS = sorted((ROOT / "recipes" / "presets").glob("*.yaml"))


def name(path: Path) -> str:
    return path.relative_to(ROOT / "recipes").with_suffix("").as_posix()


def test_there_are_recipes_and_presets() -> None:
    assert len(RECIPES) >= 8
    assert {"tiny", "qwen3b", "qwen7b", "ham10000", "mobilenet"} <= {path.stem for path in PRESETS}


@pytest.mark.parametrize("recipe", RECIPES, ids=name)
def test_it_plans(recipe: Path) -> None:
    plan = skinframe.plan(recipe)
    assert plan.graph.terms
    assert plan.run_name.startswith(plan.recipe.name)
    assert plan.fingerprint in plan_yaml(plan)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
@pytest.mark.parametrize("recipe", RECIPES, ids=name)
def test_it_plans_under_every_preset(recipe: Path, preset: Path) -> None:
    plan = skinframe.plan(recipe, presets=[str(preset)])
    assert plan.graph.terms


PAPER = {
    "table1": lambda base, how: ablation_sweep_curve.ablation(
        base, [], "leave-one-out", [str(ROOT / "recipes" / f"{name}.yaml") for name in AGAINST], how
    ),
    "table2": lambda base, how: ablation_sweep_curve.learning_curve(base, [0.12, 0.25, 0.5, 1.0], how),
    "table3": lambda base, how: ablation_sweep_curve.ablation(base, OVER, "factorial", [], how),
    "figure3": lambda base, how: ablation_sweep_curve.sweep(
        base, "losses.calibration.weight.to=0,0.1,0.2,0.5,1,2", how
    ),
}
AGAINST = ("ablations/cross_entropy", "ablations/focal_only", "baselines/probe", "baselines/probe_balanced")
OVER = ["losses.focal.config.gamma=0", "losses.alignment", "losses.calibration"]


@pytest.mark.parametrize(("name", "arms", "reference"), [
    ("table1", 5, "whole"), ("table2", 4, "100 % of the training images"), ("table3", 8, "whole"),
    ("figure3", 6, "calibration weight to = 0.5"),
])  # fmt: skip
def test_each_table_of_the_paper_is_a_grid(name: str, arms: int, reference: str, tmp_path: Path) -> None:
    base = Request(recipe=str(ROOT / "recipes" / "paper" / f"{name}.yaml"))
    grid = PAPER[name](base, ablation_sweep_curve.GridSettings(out=tmp_path))
    assert len(grid.arms) == arms
    assert len({item.name for item in grid.items}) == len(grid.items) == 5 * arms
    assert grid.reference == reference


def test_names_are_unique() -> None:
    """Two recipes of one name would share a prefix of run folders, and `--resume` would compare the wrong ones."""
    names = [skinframe.plan(recipe).recipe.name for recipe in RECIPES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "presets", [[], ["qwen7b"], ["qwen3b", "ham10000"]], ids=lambda value: "+".join(value) or "none"
)
def test_the_plan_prints_what_it_costs(presets: list[str]) -> None:
    plan = skinframe.plan(ROOT / "recipes" / "cfa_full.yaml", presets=presets)
    text = plan_text(plan, sizes(plan))
    for words in ("role", "parameters", "feature cache", "checkpoint", "memory, expected"):
        assert words in text
    if presets:
        assert "missing on this machine" in text
        assert "next:" in text
