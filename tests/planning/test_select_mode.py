"""The end of a metric that counts as better is the metric's own affair, and a wrong mode is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import skinframe

RECIPE = "recipes/cfa_full.yaml"


def test_a_mode_that_would_keep_the_worst_epoch_is_refused() -> None:
    with pytest.raises(skinframe.RecipeError, match=r"select\.mode: 'min' would keep the worst epoch"):
        skinframe.plan(RECIPE, overrides=["select.by=balanced_accuracy", "select.mode=min"])


@pytest.mark.parametrize(("metric", "mode"), [("balanced_accuracy", "max"), ("nll", "min")])
def test_the_right_mode_may_be_written_or_left_out(metric: str, mode: str) -> None:
    from skinframe.planning.resolve_components import metric_mode

    for override in ([], [f"select.mode={mode}"]):
        plan = skinframe.plan(RECIPE, overrides=[f"select.by={metric}", *override])
        assert metric_mode(plan.parts, plan.recipe.select.by) == mode


def test_a_head_may_not_read_labels(tmp_path: Path) -> None:
    plugin = tmp_path / "leaky.py"
    plugin.write_text(
        "import skinframe\n"
        "class Leaky(skinframe.Head):\n"
        "    name = 'leaky'\n"
        "    def needs(self): return ('labels',)\n"
        "    def provides(self): return ('logits',)\n"
        "    def build(self, context): raise AssertionError\n"
        "@skinframe.hookimpl\n"
        "def register_heads(): return [Leaky]\n"
    )
    with pytest.raises(skinframe.RecipeError, match=r"heads\.classify: may not read 'batch\.labels'"):
        skinframe.plan(RECIPE, overrides=["heads.classify.use=leaky"], plugins=[plugin])
