"""No value of a recipe, preset, override or run folder is resolved: an environment variable never gets into a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from skinframe.errors import RecipeError
from skinframe.predicting.finished_run import read_statement
from skinframe.recipe import load_recipe
from skinframe.recipe.load_recipe import apply_override
from skinframe.recipe.recipe_schema import Recipe
from skinframe.recipe.typed_dataclasses import typed

BASE = "name: a\ndata: {use: table}\nreasoner: {use: tiny}\nheads: {classify: {use: linear}}\n"
HIDDEN = [
    "${oc.env:SECRET}",
    r"\x24{oc.env:SECRET}",
    r"\u0024{oc.env:SECRET}",
    r"\U00000024{oc.env:SECRET}",
    "$\\\n  {oc.env:SECRET}",
    "before ${oc.env:SECRET} after",
    "${name}",
]


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hunter2")


def _refused(path: Path, presets: list[str] | None = None) -> None:
    with pytest.raises(RecipeError, match="interpolation") as found:
        load_recipe(path, presets or [])
    assert "hunter2" not in str(found.value)


@pytest.mark.parametrize("text", HIDDEN)
def test_an_interpolation_is_refused_however_yaml_writes_it(tmp_path: Path, text: str) -> None:
    path, parent, preset = tmp_path / "a.yaml", tmp_path / "parent.yaml", tmp_path / "p.yaml"
    path.write_text(BASE + f'title: "{text}"\n')
    _refused(path)
    path.write_text(BASE + f'reasoner: {{use: tiny, config: {{deep: [{{a: "{text}"}}]}}}}\n'.replace(BASE, ""))
    _refused(path)
    path.write_text(BASE + f'? "{text}"\n: 1\n')
    _refused(path)
    parent.write_text(BASE + f'title: "{text}"\n')
    path.write_text("extends: parent.yaml\nname: b\n")
    _refused(path)
    path.write_text(BASE)
    preset.write_text(f'title: "{text}"\n')
    _refused(path, [str(preset)])


@pytest.mark.parametrize("text", HIDDEN)
def test_an_override_is_refused(text: str) -> None:
    data = {"name": "a"}
    problems = apply_override(data, f'title="{text}"')
    assert "interpolation" in str(problems[0])
    assert data == {"name": "a"}
    assert apply_override(data, "${oc.env:SECRET}=1")


def test_a_value_from_python_is_refused() -> None:
    """The typed reader is the last place before omegaconf, whoever calls it."""
    recipe, problems = typed(Recipe, {"name": "a", "title": "${oc.env:SECRET}", "requires": ["${oc.env:SECRET}"]}, "")
    assert recipe is None
    assert {problem.where for problem in problems if "interpolation" in problem.what} == {"title", "requires"}
    assert not any("hunter2" in str(problem) for problem in problems)


@pytest.mark.parametrize("place", ["recipe: {title: TEXT}\nidentity: {}", "recipe: {}\nidentity: {a: TEXT}"])
def test_the_plan_of_a_run_folder_is_refused(tmp_path: Path, place: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(place.replace("TEXT", r'"\x24{oc.env:SECRET}"'))
    with pytest.raises(RecipeError, match="interpolation"):
        read_statement(path)


def test_a_comment_may_say_anything(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: a  # ${HOME} is not read\n")
    with pytest.raises(RecipeError) as found:
        load_recipe(path)
    assert "interpolation" not in str(found.value)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x]\nb: [*a, *a]",
        "recipe: {name: " + "[" * 400,
        "recipe: 5\nidentity: {}",
        "recipe: {}\nidentity: [a]",
        "recipe: {}\nidentity: {a: {b: 1}}",
        "recipe: {a: !!binary aGVsbG8=}\nidentity: {}",
        "recipe: {a: 0x" + "f" * 50_000 + "}\nidentity: {}",
        "recipe: {a: 0o" + "7" * 50_000 + "}\nidentity: {}",
        "recipe: {a: " + "9" * 5000 + "}\nidentity: {}",
        'recipe: {a: "\\0"}\nidentity: {}',
        'recipe: {a: "\\ud800"}\nidentity: {}',
        "\x00\x01",
        "",
    ],
    ids=range(13),
)
def test_a_hostile_plan_is_one_message(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError) as found:
        read_statement(path)
    assert len(str(found.value)) < 1000


def test_what_is_no_recipe_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "shadow").write_text("root:$6$secret:1::\n")
    (tmp_path / "keys.yaml").write_text("token: [hunter2\nother: @hunter2\n")
    path = tmp_path / "a.yaml"
    for parent, message in (("shadow", "ends in .yaml"), ("keys.yaml", "line ")):
        path.write_text(f"extends: {parent}\n")
        with pytest.raises(RecipeError, match=message) as found:
            load_recipe(path)
        assert "secret" not in str(found.value)
        assert "hunter2" not in str(found.value)


@pytest.mark.parametrize(
    "override",
    [".".join("a" * 2000) + "=1", "losses.x.weight=1", "a\x00b=1", "a=" + "[" * 3000, "train.epochs=0x" + "f" * 9000],
    ids=["2,000 dots", "not a mapping", "NUL", "deep value", "huge number"],
)
@pytest.mark.parametrize("losses", ["5", "[a]", "text", "{}"])
def test_a_strange_override_is_a_problem(tmp_path: Path, override: str, losses: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(BASE + f"losses: {losses}\n")
    with pytest.raises(RecipeError) as found:
        load_recipe(path, overrides=[override], without=["losses.x"])
    assert len(str(found.value)) < 2000
