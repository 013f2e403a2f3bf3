"""Parents, presets, `--set` and `--without`, in that order."""

from __future__ import annotations

from pathlib import Path

import pytest

from skinframe.errors import RecipeError
from skinframe.planning.load_plan import plan_of
from skinframe.recipe import Recipe, load_recipe

BASE = """
name: base
data: {use: set_a, config: {images: 10, size: 1}}
prompt: {use: p}
encoders: {clip: {use: e}}
reasoner: {use: r, config: {lora: {r: 4, alpha: 8}}}
heads: {classify: {use: linear}}
losses: {focal: {use: focal, weight: 1.0}, extra: {use: soft_ece}}
train: {epochs: 3}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "quick.yaml").write_text("train: {epochs: 1}\nscale: quick\n")
    (tmp_path / "presets" / "other.yaml").write_text("data: {use: set_b, config: {root: /data}}\n")
    path = tmp_path / "base.yaml"
    path.write_text(BASE)
    return path


def test_set_wins_over_preset_wins_over_recipe(recipe: Path) -> None:
    assert load_recipe(recipe).train.epochs == 3
    assert load_recipe(recipe, ["quick"]).train.epochs == 1
    found = load_recipe(recipe, ["quick"], ["train.epochs=7"])
    assert (found.train.epochs, found.scale) == (7, "quick")


def test_a_changed_use_drops_the_old_options(recipe: Path) -> None:
    assert load_recipe(recipe, ["other"]).data.config == {"root": "/data"}
    assert load_recipe(recipe, overrides=["data.use=set_b"]).data.config == {}
    assert load_recipe(recipe, overrides=["data.use=set_a"]).data.config == {"images": 10, "size": 1}


def test_a_nested_option_is_changed_alone(recipe: Path) -> None:
    found = load_recipe(recipe, overrides=["reasoner.config.lora.r=16"])
    assert found.reasoner.config == {"lora": {"r": 16, "alpha": 8}}


def test_without_and_enabled_false_are_the_same(recipe: Path) -> None:
    one = load_recipe(recipe, without=["losses.extra"])
    two = load_recipe(recipe, overrides=["losses.extra.enabled=false"])
    assert one == two
    assert not one.losses["extra"].enabled


def test_a_child_recipe_extends_its_parent(recipe: Path) -> None:
    child = recipe.with_name("child.yaml")
    child.write_text("extends: base.yaml\nname: child\nlosses: {extra: {enabled: false}}\n")
    found = load_recipe(child)
    assert (found.name, found.train.epochs, found.losses["extra"].use) == ("child", 3, "soft_ece")
    assert not found.losses["extra"].enabled


def test_a_circle_of_parents_ends(recipe: Path) -> None:
    recipe.write_text("extends: base.yaml\n" + BASE)
    with pytest.raises(RecipeError, match="is there a circle"):
        load_recipe(recipe)


BAD = [
    (["trian.epochs=3"], [], [], "trian.*did you mean 'train'"),
    (["train.epoch=3"], [], [], "train.epoch: no such key; did you mean 'epochs'"),
    (["losses.focl.weight=1"], [], [], "did you mean 'focal'"),
    (["epochs"], [], [], "expected PATH=VALUE"),
    (["=3"], [], [], "expected PATH=VALUE"),
    (["train..epochs=3"], [], [], "expected PATH=VALUE"),
    (["train.epochs=eight"], [], [], "could not be converted to an integer"),
    (["train.epochs=-1"], [], [], "epochs must be at least 0"),
    (["train.epochs=[1, 2"], [], [], "is not a recipe"),
    (["train=3"], [], [], "train: expected keys and values, got 3"),
    (["losses=3"], [], [], "losses: expected a name for each component"),
    (["losses.focal=3"], [], [], "losses.focal: expected keys and values"),
    (["train.epochs.more=3"], [], [], "train.epochs"),
    (["split.train=0.9"], [], [], "must be positive and sum to 1"),
    (["split.train=.nan"], [], [], "must be positive and sum to 1"),
    (["train.lr=.nan"], [], [], "lr, head_lr and connector_lr must be positive"),
    (["train.lr=.inf"], [], [], "lr, head_lr and connector_lr must be positive"),
    (["train.connector_lr=0"], [], [], "lr, head_lr and connector_lr must be positive"),
    (["train.clip=-1"], [], [], "clip"),
    (["evaluate.resamples=0"], [], [], "resamples"),
    (["evaluate.level=2"], [], [], "level"),
    (["evaluate.max_new_tokens=-4"], [], [], "max_new_tokens"),
    (["images.max_fraction=3"], [], [], "max_fraction"),
    (["images.workers=0"], [], [], "workers"),
    (["images.patience=0"], [], [], "patience"),
    (["name=../../escape"], [], [], "name"),
    (["name=''"], [], [], "name"),
    ([], ["losses.focl"], [], "did you mean 'losses.focal'"),
    ([], ["train"], [], "no such component"),
    ([], [], ["quik"], "no preset named 'quik'; did you mean 'quick'"),
    ([], [], ["nowhere.yaml"], "no such file"),
]


@pytest.mark.parametrize(("overrides", "without", "presets", "message"), BAD)
def test_a_bad_overlay_is_refused(
    recipe: Path, overrides: list[str], without: list[str], presets: list[str], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe(recipe, presets, overrides, without)


def test_every_problem_is_named_at_once(recipe: Path) -> None:
    bad = ["trian.epochs=3", "train.lr=fast", "losses.focl.weight=1", "reasoner.yuse=x"]
    with pytest.raises(RecipeError) as found:
        load_recipe(recipe, overrides=bad, without=["heads.clasify"])
    text = str(found.value)
    assert text.startswith(f"{recipe}: 5 problems")
    for words in ("trian", "train.lr", "focl", "reasoner.yuse", "heads.clasify"):
        assert words in text


def test_options_of_components_are_judged_with_the_rest(root: Path) -> None:
    """A typo inside a component's config is named beside one of the recipe, not after that is mended."""
    bad = ["train.epoch=3", "losses.focal.config.gama=2", "reasoner.config.lora.rank=4", "losses.rationale.use=nothing"]
    with pytest.raises(RecipeError) as found:
        plan_of(root / "recipes" / "cfa_full.yaml", overrides=bad, without=["losses.alignmnt"])
    text = str(found.value)
    assert ": 5 problems\n" in text
    for words in ("train.epoch", "focal.config.gama", "lora.rank", "no loss named 'nothing'", "alignmnt"):
        assert words in text


@pytest.mark.parametrize(
    ("overrides", "without", "title"),
    [
        ([], [], ""),
        (["train.epochs=1"], [], ""),
        ([], ["losses.extra"], "base without extra"),
        (["losses.extra.weight=0"], ["losses.focal"], "base without focal and extra"),
        (["losses.focal.use=cross_entropy"], [], "base with cross_entropy for focal"),
        (
            ["losses.focal.use=mine", "losses.extra.weight=2"],
            [],
            "base with mine for focal, with other options of extra",
        ),
        (["title=Mine"], ["losses.extra"], "Mine"),
    ],
)
def test_the_title_says_which_losses_the_command_line_changed(
    recipe: Path, overrides: list[str], without: list[str], title: str
) -> None:
    assert load_recipe(recipe, overrides=overrides, without=without).title == title


def test_missing_keys_are_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("name: x\n")
    with pytest.raises(RecipeError) as found:
        load_recipe(path)
    for key in ("data", "prompt"):
        assert f"  {key}: is required and missing" in str(found.value)


def test_the_recipe_is_frozen(recipe: Path) -> None:
    found: Recipe = load_recipe(recipe)
    with pytest.raises(AttributeError):
        found.seed = 3  # type: ignore[misc]
