"""E. What a hostile recipe, plugin, report text or cell can do: be refused, or stay text."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from skinframe.errors import RecipeError
from skinframe.planning import make_plan
from skinframe.plugins import installed, load
from skinframe.recipe import load_recipe

CANARY = "touch {canary}"
RECIPES = [
    pytest.param("name: a\n_target_: os.system\n", id="_target_"),
    pytest.param(
        "name: a\nreasoner: {use: qwen2_5_vl, config: {_target_: os.system, _args_: ['CANARY']}}\n", id="nested"
    ),
    pytest.param("name: a\ndata: {use: os.system, config: {command: 'CANARY'}}\n", id="dotted path"),
    pytest.param("name: a\ndata: {use: 'builtins:exec'}\n", id="entry point"),
    pytest.param("name: !!python/object/apply:os.system ['CANARY']\n", id="python object"),
    pytest.param("name: ${env:HOME}\n", id="interpolation"),
    pytest.param("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", id="alias bomb"),
    pytest.param("name: a\nname: b\n", id="duplicate key"),
    pytest.param("name: a\nrequires: ['../../evil', 'os']\n", id="plugin path"),
    pytest.param("x: " + "y" * 50_000_000, id="50 MB"),
]


def _plan(path: Path, catalog: Any) -> None:
    recipe = load_recipe(path)
    load(recipe.requires)
    make_plan(recipe, catalog, str(path))


@pytest.mark.parametrize("text", RECIPES)
@pytest.mark.gate("E1")
def test_e1_a_hostile_recipe_is_refused_fast_and_runs_nothing(tmp_path: Path, root: Path, text: str) -> None:
    canary, path = tmp_path / "canary", tmp_path / "evil.yaml"
    body = text.replace("CANARY", CANARY.format(canary=canary))
    if not body.startswith(("x:", "a:", "name: !!", "name: $", "name: a\nname")):
        whole = yaml.safe_load((root / "tests" / "small.yaml").read_text())  # a real recipe with the evil laid over it
        body = yaml.safe_dump(whole | yaml.safe_load(body))
    path.write_text(body)
    began = time.process_time()
    catalog = load(["cfa", "clip", "qwen", "derm", "tiny"])
    with pytest.raises(RecipeError):
        _plan(path, catalog)
    assert time.process_time() - began < 3  # a second on an idle machine, imports of the catalog included
    assert not canary.exists()


def test_e4_a_plugin_that_is_installed_and_not_named_is_listed_and_not_imported() -> None:
    import subprocess

    assert "example" in installed()
    code = (
        "import sys; from skinframe.plugins import installed, load; load(['cfa']);"
        "assert 'example' in installed(); sys.exit('skinframe_example' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr


PLUGIN = """
import skinframe
from skinframe.signals import Labels, Logits

class Shadow(skinframe.Loss):
    name = "focal"
    coupling = "per_sample"

    def forward(self, logits: Logits, labels: Labels):
        return logits.mean()

@skinframe.hookimpl
def register_losses():
    return [Shadow]
"""


def test_e5_a_plugin_cannot_take_a_name_that_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "shadow.py"
    file.write_text(PLUGIN)
    with pytest.raises(RecipeError, match="focal"):
        load(["cfa"], [file])


@pytest.mark.parametrize("name", ["$(touch x)", "a b", "naïve", "`id`", "a;b", "--help"])
def test_e10_an_output_name_is_a_literal_folder(small: Any, cli: Any, tmp_path: Path, name: str) -> None:
    from skinframe.planning.load_plan import plan_of
    from skinframe.running.run_folder import run_folder

    plan = plan_of(small.recipe, overrides=small.overrides)
    with run_folder(plan, tmp_path / name, resume=False) as folder:
        assert folder.parent.name == name
    assert [path.name for path in tmp_path.iterdir()] == [name]
