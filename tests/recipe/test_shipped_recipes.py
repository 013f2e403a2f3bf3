"""Recipes and presets are found by name from any folder; a component of a plugin that is not required says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from skinframe.curating.data_source import source_of
from skinframe.errors import RecipeError
from skinframe.planning.load_plan import plan_of
from skinframe.recipe import load_recipe
from skinframe.recipe.shipped_recipes import folder, listing, presets, recipes


def test_every_recipe_of_the_repository_has_a_name_of_its_own(root: Path) -> None:
    files = [file for file in (root / "recipes").rglob("*.yaml") if file.parent.name != "presets"]
    assert sorted(recipes()) == sorted(file.stem for file in files)
    assert folder() == root / "recipes"
    assert not set(recipes()) & set(presets())


@pytest.mark.parametrize("name", ["cfa_full", "without_alignment", "probe", "table3"])
def test_a_recipe_is_found_by_its_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_recipe(name) == load_recipe(recipes()[name])


def test_a_recipe_of_ones_own_extends_one_by_name_and_takes_the_presets(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("extends: cfa_full\nname: own\n")
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "tiny.yaml").write_text("scale: mine\n")
    assert load_recipe(own, ["mobilenet"]).encoders["clip"].use == "timm"
    assert load_recipe(own, ["tiny"]).scale == "mine"  # a preset beside the recipe wins


def test_a_file_wins_over_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("probe").write_text("extends: cfa_full\nname: mine\n")
    Path("cfa_full").mkdir()  # a folder is no recipe
    assert (load_recipe("probe").name, load_recipe("cfa_full").name) == ("mine", "cfa_full")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cfa_ful", r"no file and no recipe of this name; did you mean 'cfa_full'\?"),
        ("recipes/cfa_full.yaml", "no such file; skinframe has a recipe 'cfa_full': write the name without"),
        ("cfa_full.yml", "no such file; skinframe has a recipe 'cfa_full'"),
        ("tiny", "no file and no recipe of this name"),
        ("ab\0c", "no file and no recipe of this name"),
        ("x" * 5000, "no file and no recipe of this name"),
        ("x" * 5000 + ".yaml", "no such file"),
        (".", "is a folder; name the recipe in it"),
    ],
)
def test_an_unknown_recipe_is_refused_with_the_nearest_name(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match=message):
        load_recipe(text)


def test_an_unknown_preset_is_refused_with_the_nearest_name_or_all() -> None:
    with pytest.raises(RecipeError, match="did you mean 'mobilenet'"):
        load_recipe("cfa_full", ["mobilnet"])
    with pytest.raises(RecipeError, match="known: ham10000, isic2019, mobilenet, qwen3b"):
        load_recipe("cfa_full", ["zzz"])


def test_the_list_names_every_recipe_and_preset_with_a_sentence() -> None:
    lines = listing().splitlines()
    for name in [*recipes(), *presets()]:
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert len(line.split()) > 5


def test_a_component_of_an_installed_plugin_says_to_require_it(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("extends: cfa_full\nname: own\nrequires: [clip, qwen, tiny]\n")
    with pytest.raises(RecipeError) as refusal:
        plan_of(own, overrides=["losses.alignment.use=nothing"])
    text = str(refusal.value)
    assert "losses.focal.use: 'focal' is in the plugin 'cfa': add it to `requires`" in text
    assert "prompt.use: 'clinical_template' is in the plugin 'derm'" in text
    assert "losses.alignment.use: no loss named 'nothing'" in text


def test_data_verbs_take_a_recipe_by_name() -> None:
    assert source_of("probe", (), ["data.config.images=50"]).name == "synthetic_dermoscopy"
