"""A recipe file, its parent, presets, `--set` and `--without`, merged in that order into one typed Recipe."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.recipe.recipe_schema import Recipe
from skinframe.recipe.shipped_recipes import find_preset, find_recipe, is_recipe
from skinframe.recipe.typed_dataclasses import typed
from skinframe.recipe.yaml_text import MAX_DEPTH, has_interpolation, parse_value, read_mapping
from skinframe.untrusted_files import unstorable

NAMED = ("encoders", "heads", "losses", "metrics")
MAX_PARENTS = 8


def load_recipe(
    path: str | Path,
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    without: Sequence[str] = (),
) -> Recipe:
    """Return the typed recipe. Raises RecipeError with every problem at once, each under its path."""
    data, problems = compose(path, presets, overrides, without)
    recipe, found = typed(Recipe, data, "")
    problems += found
    if problems or recipe is None:
        raise RecipeError(str(path), problems)
    return recipe


def compose(
    path: str | Path,
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    without: Sequence[str] = (),
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the merged mapping, not yet typed, with the problems of `overrides` and `without`.

    The title says which losses these changed, unless they set it. Raises RecipeError for a file that cannot be read.
    """
    source = find_recipe(path)
    data = _with_parents(source, 0)
    chosen = _chosen(data, _root(source, 0))
    for preset in presets:
        overlay = _with_parents(find_preset(source, preset), 0)
        _leave(overlay, data, chosen)
        merge(data, overlay)
    before = copy.deepcopy(data)
    problems: list[Problem] = []
    for override in overrides:
        problems += apply_override(data, override)
    for part in without:
        problems += _disable(data, part)
    if data.get("title") == before.get("title") and isinstance(data.get("losses"), dict):
        title = str(data.get("title") or data.get("name") or "")
        changed = changed_title(title, _entries(before, "losses"), data["losses"])
        if changed != title:
            data["title"] = changed
    return data, problems


def _root(path: Path, depth: int) -> dict[str, Any]:
    """Return what the last of a recipe's parents says, which presets are written for."""
    data = read_mapping(path)
    parent = data.get("extends")
    if not isinstance(parent, str) or depth > MAX_PARENTS:
        return data
    return _root(find_recipe(parent, path.parent), depth + 1)


def _components(data: Mapping[str, Any]) -> dict[tuple[str, ...], Mapping[str, Any]]:
    """Return every entry that names a component, by its path: `heads.classify`, `reasoner`."""
    found: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for kind, value in data.items():
        if not isinstance(value, Mapping):
            continue
        if "use" in value:
            found[(kind,)] = value
        found |= {(kind, name): entry for name, entry in value.items() if isinstance(entry, Mapping) and "use" in entry}
    return found


def _chosen(data: Mapping[str, Any], root: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """Return the components that a recipe chose itself: another `use` than that of its last parent."""
    before = _components(root)
    return {path for path, entry in _components(data).items() if path in before and entry["use"] != before[path]["use"]}


def _leave(overlay: dict[str, Any], data: Mapping[str, Any], chosen: Collection[tuple[str, ...]]) -> None:
    """Take out of a preset what would replace a component that the recipe chose, or switch on what it switched off.

    A preset says how large the parts are. Which parts there are is the recipe's to say: a linear probe stays one.
    """
    for path, entry in _components(overlay).items():
        if path in chosen and entry["use"] != _components(data)[path]["use"]:
            place = overlay if len(path) == 1 else overlay[path[0]]
            del place[path[-1]]
    for kind in NAMED:
        for name, entry in _entries(data, kind).items():
            changed = _entries(overlay, kind).get(name)
            if isinstance(entry, Mapping) and entry.get("enabled") is False and isinstance(changed, dict):
                changed.pop("enabled", None)


def merge(base: dict[str, Any], over: dict[str, Any]) -> None:
    """Lay `over` onto `base`. A changed `use` drops the old config: its keys mean nothing to the new component."""
    for key, value in over.items():
        old = base.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            if "use" in value and "use" in old and value["use"] != old["use"]:
                old = {name: kept for name, kept in old.items() if name != "config"}
                base[key] = old
            merge(old, value)
        else:
            base[key] = copy.deepcopy(value)


def _with_parents(path: Path, depth: int) -> dict[str, Any]:
    if depth > MAX_PARENTS:
        raise RecipeError(str(path), [Problem("extends", f"more than {MAX_PARENTS} parents; is there a circle?")])
    data = read_mapping(path)
    parent = data.pop("extends", None)
    if parent is None:
        return data
    if not isinstance(parent, str) or not is_recipe(parent):
        what = "expected the file name of a recipe, which ends in .yaml, or the name of one of skinframe's own"
        raise RecipeError(str(path), [Problem("extends", what)])
    base = _with_parents(find_recipe(parent, path.parent), depth + 1)
    merge(base, data)
    return base


def apply_override(data: dict[str, Any], override: str) -> list[Problem]:
    """Set one dotted path. A component must exist already: a typo must not create one."""
    dotted, sign, text = override.partition("=")
    keys = dotted.strip().split(".")
    if not sign or not all(keys):
        return [Problem(f"--set {override[:80]}", "expected PATH=VALUE, for example train.epochs=3")]
    if len(keys) > MAX_DEPTH or has_interpolation(dotted) or unstorable(dotted):
        return [Problem(f"--set {dotted[:80]}", "is not the path of a value in a recipe")]
    known = _entries(data, keys[0])
    if keys[0] in NAMED and len(keys) > 1 and keys[1] not in known:
        return [
            Problem(f"--set {dotted}", f"the recipe has no {keys[0]} entry '{keys[1]}'{did_you_mean(keys[1], known)}")
        ]
    try:
        value = parse_value(text, f"--set {dotted}")
    except RecipeError as error:
        return list(error.problems)
    change: Any = value
    for key in reversed(keys):
        change = {key: change}
    merge(data, change)
    return []


def _disable(data: dict[str, Any], part: str) -> list[Problem]:
    kind, _, name = part.partition(".")
    entries = data.get(kind)
    if kind in NAMED and isinstance(entries, dict) and name in entries and isinstance(entries[name], dict):
        entries[name]["enabled"] = False
        return []
    known = [f"{kind}.{name}" for kind in NAMED for name in _entries(data, kind)]
    return [Problem(f"--without {part}", f"the recipe has no such component{did_you_mean(part, known)}")]


def _entries(data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the named components of one kind; none where the recipe has something else in their place."""
    found = data.get(kind)
    return found if isinstance(found, dict) else {}


def changed_title(title: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return the title with what became of the losses; `before` and `after` are the recipe's mappings of them."""
    without, swapped, changed = [], [], []
    for name, entry in after.items():
        old = before.get(name)
        if not isinstance(entry, Mapping) or entry == old:
            continue
        if not _takes_part(entry):
            without += [name] if isinstance(old, Mapping) and _takes_part(old) else []
        elif not isinstance(old, Mapping) or not _takes_part(old):
            swapped.append(f"with {name}")
        elif entry.get("use") != old.get("use"):
            swapped.append(f"with {entry.get('use')} for {name}")
        else:
            changed.append(name)
    said = [f"without {_listed(without)}"] if without else []
    said += swapped
    said += [f"with other options of {_listed(changed)}"] if changed else []
    return " ".join([title, ", ".join(said)]).strip()


def _takes_part(entry: Mapping[str, Any]) -> bool:
    return entry.get("enabled", True) is not False and entry.get("weight", 1.0) != 0


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
