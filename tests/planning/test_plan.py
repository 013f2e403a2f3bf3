"""The plan as a value: what its fingerprint holds, what it says is missing, and what refuses to run."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import skinframe
from skinframe.components import Requirement
from skinframe.errors import DataError, RecipeError
from skinframe.planning import load_plan
from skinframe.planning.cost_estimate import sizes
from skinframe.planning.plan import flatten, reseeded
from skinframe.planning.plan_text import plan_text, plan_yaml, size_text

GPU = Requirement(kind="gpu", what="a GPU of 80 GB", next_step="run on another machine")
DATA = Requirement(kind="data", what="images of HAM10000", next_step="skinframe data ham10000")


@pytest.fixture
def plan(small: Any) -> Any:
    def make(*overrides: str, **more: Any) -> Any:
        return skinframe.plan(small.recipe, overrides=[*small.overrides, *overrides], **more)

    return make


@pytest.mark.parametrize("override", ["title=Other", "images.workers=2", "train.save_every=7", "evaluate.cases=9"])
def test_what_changes_no_number_changes_no_fingerprint(plan: Any, override: str) -> None:
    assert plan(override).fingerprint == plan().fingerprint
    assert plan(override).run_name == f"small-{plan().fingerprint[:8]}"


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("seed=18", "seed"),
        ("train.lr=0.002", "train.lr"),
        ("losses.focal.config.gamma=3", "losses.focal.config.gamma"),
        ("data.config.images=61", "data.config.images"),
        ("heads.project.config.width=16", "heads.project.config.width"),
    ],
)
def test_what_changes_a_number_is_named_by_its_key(plan: Any, override: str, key: str) -> None:
    one, other = plan(), plan(override)
    assert one.fingerprint != other.fingerprint
    assert key in {name for name in one.identity if one.identity[name] != other.identity.get(name)}


def test_another_seed_is_the_plan_of_a_recipe_with_that_seed(plan: Any) -> None:
    both = plan("seed=3", "split.seed=5")
    again = reseeded(plan(), seed=3, division=5)
    assert (again.fingerprint, again.recipe.seed, again.recipe.division_seed) == (both.fingerprint, 3, 5)
    assert reseeded(plan()).fingerprint == plan().fingerprint
    assert reseeded(plan(), seed=3).recipe.division_seed == plan().recipe.division_seed


def test_options_become_keys_with_dots() -> None:
    nested = {"a": 1, "b": {"c": [1, "x"], "d": {"e": None}}, "empty": {}}
    assert flatten(nested) == {"a": "1", "b.c": '[1, "x"]', "b.d.e": "null"}


def test_a_run_that_lacks_something_is_refused_with_the_next_step(plan: Any) -> None:
    complete = plan()
    load_plan.refuse_missing(complete)
    lacking = dataclasses.replace(complete, missing=(GPU, DATA))
    with pytest.raises(RecipeError, match=r"gpu: a GPU of 80 GB; next: run on another machine"):
        load_plan.refuse_missing(lacking)
    with pytest.raises(DataError, match=r"data: images of HAM10000; next: skinframe data ham10000"):
        load_plan.refuse_missing(dataclasses.replace(complete, missing=(DATA,)))


def test_costs_without_the_data_say_so(plan: Any) -> None:
    costs = sizes(dataclasses.replace(plan(), missing=(DATA,)))
    assert costs.images is None
    text = plan_text(dataclasses.replace(plan(), missing=(GPU, DATA)), costs)
    for words in (
        "unknown (data missing)",
        "gpu: a GPU of 80 GB; ",
        "expected in all",
        "next: skinframe data ham10000",
    ):
        assert words in text


@pytest.mark.parametrize(("found", "names"), [("2.9.1", ["torch"]), ("2.10.0", []), ("3.0", []), ("1.99", ["torch"])])
def test_a_library_below_its_floor_is_refused(monkeypatch: pytest.MonkeyPatch, found: str, names: list[str]) -> None:
    installed = {"torch": found, "transformers": "5.3.0"}
    monkeypatch.setattr(load_plan, "_version", installed.get)
    if not names:
        load_plan.refuse_old_libraries("here")
        return
    with pytest.raises(RecipeError, match=rf"torch: version {found} is below 2\.10; pip install --upgrade torch"):
        load_plan.refuse_old_libraries("here")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1.5e6, "1.5 MB"), (59.3e9, "59.3 GB"), (4e12, "4,000.0 GB")],
)
def test_bytes_are_shown_in_the_largest_unit_that_fits(count: float, text: str) -> None:
    assert size_text(count) == text


def test_the_printed_plan_has_a_row_per_module_and_what_is_dropped(plan: Any) -> None:
    made = plan(without=["losses.rationale"])
    costs = sizes(made)
    text = plan_text(made, costs)
    assert text.startswith(f"small · scale test · seed 17 · fingerprint {made.fingerprint[:8]}\n")
    rows = {line[:44].strip(): line for line in text.splitlines()}
    for row in costs.rows:
        assert rows[row.name][44:].split()[:2] == [row.role, f"{row.parameters:,}"]
    assert "dropped: losses.rationale (disabled)" in text
    assert f"{costs.parameters('lora'):,}" in next(line for line in text.splitlines() if line.startswith("total lora"))
    assert "images                60" in text
    weighted = next(line for line in text.splitlines() if line.startswith("losses.alignment"))
    assert weighted.endswith("weight 0.5")


def test_plan_yaml_holds_every_default_and_the_graph(plan: Any) -> None:
    import yaml

    made = plan()
    statement = yaml.safe_load(plan_yaml(made))
    assert statement["fingerprint"] == made.fingerprint
    assert statement["identity"] == dict(made.identity)
    assert statement["recipe"]["losses"]["focal"]["config"]["gamma"] == 2.0
    assert statement["recipe"]["heads"]["classify"]["config"] == {"dropout": 0.0, "width": 0}
    assert statement["recipe"]["data"]["config"]["images"] == 60
    assert statement["graph"]["roots"]["scores"] == "classify.logits"
    assert statement["dropped"] == {}


def test_the_command_says_what_takes_long_and_keeps_its_output_clean(
    small: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from skinframe.verbs.plan import COMMAND

    options = {"recipe": small.recipe, "overrides": small.overrides}
    assert COMMAND.call is not None
    shown = str(COMMAND.call(**options))
    printed = capsys.readouterr()
    assert "imports torch" in printed.err
    assert "imports torch" not in printed.out + shown
    COMMAND.call(**options, yaml=True)  # counts nothing
    assert capsys.readouterr().err == ""
