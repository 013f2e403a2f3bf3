"""Restores the plan of a finished run from its folder."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

from skinframe.catalog import Catalog
from skinframe.components import Dataset
from skinframe.errors import Problem, RecipeError
from skinframe.planning import Plan, make_plan
from skinframe.planning.plan import digest_of
from skinframe.planning.resolve_components import build
from skinframe.plugins import load
from skinframe.predicting.relabelled_dataset import no_common_labels, relabelled
from skinframe.recipe.load_recipe import apply_override
from skinframe.recipe.recipe_schema import Part, Recipe
from skinframe.recipe.typed_dataclasses import typed
from skinframe.recipe.yaml_text import read_mapping
from skinframe.sample import Field
from skinframe.untrusted_files import UnreadableError, read_list, read_object

CHANGES = "changes.json"  # what was allowed to differ when the run was continued
FILE_PLUGIN = "plugins.file:"  # how the plan's identity names a one-file plugin


def plan_of_run(run: Path, plugins: Sequence[Path] = (), data: Sequence[str] = ()) -> Plan:
    """Rebuild the plan that a finished run was made from, with other data where `data.…` paths say so.

    Raises RecipeError where a plugin file is not named, or where weights or a plugin file are no longer the same; the
    training data itself may be gone.
    """
    path = run / "plan.yaml"
    if not path.is_file() or not (run / "selection.json").is_file():
        raise RecipeError(str(run), [Problem("run", "is not a finished run; name the folder that holds report.html")])
    written, before = read_statement(path)
    home = copy.deepcopy(written.get("data"))
    moved = [problem for override in data for problem in _other_data(written, override)]
    recipe, problems = typed(Recipe, written, "")
    problems = [*moved, *problems]
    given = {f"{FILE_PLUGIN}{plugin.name}" for plugin in plugins}
    problems += [
        Problem("--plugin", f"the run was made with {text}; name that file with --plugin")
        for key, text in before.items()
        if key.startswith(FILE_PLUGIN) and key not in given
    ]
    if recipe is None or problems:
        raise RecipeError(str(path), problems)
    catalog = load(recipe.requires, plugins, source=str(path))
    plan = make_plan(recipe, catalog, str(path))
    problems = [
        Problem(key, f"was {text} in that run, is {plan.identity.get(key)} now")
        for key, text in before.items()
        if _decides(key) and plan.identity.get(key) != text and not (data and key == "prompt.digest")
    ]
    selection = read_json(run / "selection.json")
    learnt = tuple(map(str, selection.get("classes") or ()))
    if learnt != plan.parts.dataset.classes:
        mapped = _with_classes(plan, home, learnt, catalog)
        if mapped is None:
            what = no_common_labels(plan.parts.dataset, learnt, plan.parts.dataset.config)
            problems.append(Problem("data", what))
        plan = mapped or plan
    told = selection.get("metadata_fields", selection.get("told"))  # the key's name until version 0.1
    fields, field_problems = (None, []) if told is None else _fields(told)
    problems += field_problems
    if problems:
        raise RecipeError(str(path), problems)
    return dataclasses.replace(plan, metadata_fields=fields)


def _with_classes(plan: Plan, home: Any, classes: Sequence[str], catalog: Catalog) -> Plan | None:
    """Return the plan with its data set under the classes that the run learnt, None where they have no common words."""
    part, _ = typed(Part, home, "data")
    trained = None if part is None else build(Dataset, part, "data", catalog)[0]  # type: ignore[type-abstract]
    if trained is None:
        return None
    dataset = relabelled(plan.parts.dataset, trained, classes)
    if dataset is None:
        return None
    return dataclasses.replace(plan, parts=dataclasses.replace(plan.parts, dataset=dataset))


def read_statement(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the recipe in a run's plan.yaml, not yet typed, and the plan's identity. Raises RecipeError."""
    statement = read_mapping(path)
    recipe, identity = statement.get("recipe"), statement.get("identity")
    if not isinstance(recipe, dict) or not is_identity(identity):
        raise RecipeError(str(path), [Problem("plan", "is not the plan of a run: 'recipe' or 'identity' is missing")])
    return recipe, dict(identity)


def fingerprints_of(run: Path) -> tuple[str, ...]:
    """Return the fingerprints of the plans that a run was made from: today's, and those before an allowed change.

    Raises RecipeError where its plan.yaml or changes.json cannot be read.
    """
    _, identity = read_statement(run / "plan.yaml")
    changes = run / CHANGES
    before = [change.get("was") for change in _changes(changes) if change.get("key") == "fingerprint"]
    return (digest_of(identity), *(was for was in before if isinstance(was, str)))


def _changes(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        return [change for change in read_list(path) if isinstance(change, dict)]
    except UnreadableError as error:
        raise RecipeError(error.where, [Problem("file", error.reason)]) from error


def is_identity(value: Any) -> TypeGuard[dict[str, str]]:
    """Say whether a value has the form of a plan's identity: texts by name."""
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _fields(written: Any) -> tuple[tuple[Field, ...], list[Problem]]:
    """Return the fields that the run's model reads as numbers, and what is wrong with them."""
    if not isinstance(written, list):
        return (), [Problem("selection.json", "metadata_fields is no list of fields")]
    read = [typed(Field, field, f"selection.json: metadata_fields.{place}") for place, field in enumerate(written)]
    problems = [problem for _, field_problems in read for problem in field_problems]
    return tuple(field for field, _ in read if field is not None), problems


def _other_data(written: dict[str, Any], override: str) -> list[Problem]:
    """Lay one override over what a finished run may be asked anew with: data, the prompt's options, views, images."""
    key = override.partition("=")[0].strip()
    if not key.startswith(("data.", "prompt.config.", "images.")) and key not in ("data", "evaluate.views"):
        what = "a finished run keeps its model; only data.…, prompt.config.…, images.… and evaluate.views can change"
        return [Problem(f"--set {override}", what)]
    return apply_override(written, override)


def read_json(path: Path) -> dict[str, Any]:
    """Return what a run's own JSON file says. Raises RecipeError where it is gone or cut off."""
    try:
        return read_object(path)
    except UnreadableError as error:
        raise RecipeError(error.where, [Problem("file", error.reason)]) from error


def _decides(key: str) -> bool:
    """Say whether a prediction depends on this key of the plan's identity; the training data it does not."""
    return key.startswith(FILE_PLUGIN) or (key.endswith(".digest") and key != "data.digest")
