"""Resolves component names: looks each up, types its options, collects every problem."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar, cast

from skinframe.catalog import Catalog
from skinframe.components import (
    Balancer,
    Calibrator,
    Column,
    Component,
    Dataset,
    Encoder,
    Explainer,
    Head,
    Loss,
    Metric,
    Prompt,
    Reasoner,
    ReportSection,
    Tracker,
)
from skinframe.errors import Problem, did_you_mean
from skinframe.plugins import provider_of
from skinframe.recipe.recipe_schema import LossPart, Part, Recipe
from skinframe.recipe.typed_dataclasses import typed

C = TypeVar("C", bound=Component)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The recipe's components, built (light: no weights) and by instance name."""

    dataset: Dataset
    prompt: Prompt
    report_sections: tuple[ReportSection, ...]  # those of every loaded plugin
    columns: Mapping[str, Column]  # by the signal that each gives
    encoders: Mapping[str, Encoder]
    reasoner: Reasoner | None
    heads: Mapping[str, Head]
    losses: Mapping[str, Loss]
    balancer: Balancer
    calibrator: Calibrator
    explainer: Explainer
    metrics: Mapping[str, Metric]
    trackers: Mapping[str, Tracker]


def resolve(recipe: Recipe, catalog: Catalog) -> tuple[Parts | None, list[Problem]]:
    """Build every enabled component. Returns None beside the problems when any does not build."""
    problems: list[Problem] = []

    def one(kind: type[C], part: Part | LossPart, path: str) -> C:
        component, part_problems = build(kind, part, path, catalog)
        problems.extend(part_problems)
        return cast(C, component)

    def many(kind: type[C], parts: Mapping[str, Any], path: str) -> dict[str, C]:
        return {name: one(kind, part, f"{path}.{name}") for name, part in parts.items() if part.enabled}

    balancer = recipe.balancer if recipe.balancer.enabled else Part(use="none")
    metrics = recipe.metrics or default_metrics(catalog)
    columns, found = _columns(recipe, catalog)
    problems += found
    parts = Parts(
        dataset=one(Dataset, recipe.data, "data"),  # type: ignore[type-abstract]
        prompt=one(Prompt, recipe.prompt, "prompt"),  # type: ignore[type-abstract]
        report_sections=tuple(
            cast(ReportSection, catalog.entries["report_section", name].component())
            for name in catalog.names("report_section")
        ),
        encoders=many(Encoder, recipe.encoders, "encoders"),  # type: ignore[type-abstract]
        columns=columns,
        reasoner=None
        if recipe.reasoner is None or not recipe.reasoner.enabled
        else one(Reasoner, recipe.reasoner, "reasoner"),  # type: ignore[type-abstract]
        heads=many(Head, recipe.heads, "heads"),  # type: ignore[type-abstract]
        losses=many(Loss, recipe.losses, "losses"),
        balancer=one(Balancer, balancer, "balancer"),  # type: ignore[type-abstract]
        calibrator=one(Calibrator, recipe.calibrator, "calibrator"),  # type: ignore[type-abstract]
        explainer=one(Explainer, recipe.explainer, "explainer"),  # type: ignore[type-abstract]
        metrics=many(Metric, metrics, "metrics"),
        trackers=many(Tracker, recipe.tracker_parts, "trackers"),  # type: ignore[type-abstract]
    )
    for path, by in {"select.by": recipe.select.by, **_stage_metrics(recipe)}.items():
        if by not in parts.metrics:
            hint = did_you_mean(by, parts.metrics)
            problems.append(Problem(path, f"'{by}' is not among the recipe's metrics{hint}"))
    if parts.metrics.get(recipe.select.by) is not None:
        right = metric_mode(parts, recipe.select.by)
        if recipe.select.mode not in (None, right):
            what = f"'{recipe.select.mode}' would keep the worst epoch: {recipe.select.by} is better when {_WAY[right]}"
            problems.append(Problem("select.mode", what))
    if problems:
        return None, problems
    return replace(parts, prompt=parts.prompt.for_modality(parts.dataset.modality)), []


def _columns(recipe: Recipe, catalog: Catalog) -> tuple[dict[str, Column], list[Problem]]:
    """Return every registered column by its signal: with the recipe's options, or its defaults where it names none."""
    parts = {part.use: (f"columns.{name}", part) for name, part in recipe.columns.items()}
    for name in catalog.names("column"):
        parts.setdefault(name, (f"columns.{name}", Part(use=name)))
    columns: dict[str, Column] = {}
    problems: list[Problem] = []
    for path, part in parts.values():
        if not part.enabled:
            continue
        built, column_problems = build(Column, part, path, catalog)  # type: ignore[type-abstract]
        problems += column_problems
        if built is not None:
            columns[built.signal.name] = built
    return columns, problems


def default_metrics(catalog: Catalog) -> dict[str, Part]:
    """Return the metrics of a recipe that names none: the few that a report can show at a glance."""
    known = {name: catalog.entries["metric", name].component for name in catalog.names("metric")}
    return {name: Part(use=name) for name, kind in known.items() if issubclass(kind, Metric) and kind.by_default}


_WAY = {"min": "lower", "max": "higher"}


def metric_mode(parts: Parts, by: str) -> Literal["min", "max"]:
    """Return which end of a metric is the better one."""
    return "max" if parts.metrics[by].higher_is_better else "min"


def _stage_metrics(recipe: Recipe) -> dict[str, str]:
    """Return the metric that each stage names for itself, by its path in the recipe."""
    return {f"stages.{index}.by": stage.by for index, stage in enumerate(recipe.stages) if stage.by is not None}


def misfits(data: Mapping[str, Any], catalog: Catalog) -> list[Problem]:
    """Return what is wrong with the components of a recipe that has no type yet, so that all is said at once."""
    problems: list[Problem] = []
    for key, kind in _ONE.items():
        problems += _misfit(kind, data.get(key), key, catalog)
    for key, kind in _MANY.items():
        named = data.get(key)
        for name, entry in named.items() if isinstance(named, Mapping) else ():
            problems += _misfit(kind, entry, f"{key}.{name}", catalog)
    return problems


_ONE: Mapping[str, type[Component]] = {
    "data": Dataset,
    "prompt": Prompt,
    "reasoner": Reasoner,
    "balancer": Balancer,
    "calibrator": Calibrator,
    "explainer": Explainer,
}
_MANY: Mapping[str, type[Component]] = {
    "columns": Column,
    "encoders": Encoder,
    "heads": Head,
    "losses": Loss,
    "metrics": Metric,
    "trackers": Tracker,
}


def _misfit(kind: type[Component], entry: Any, path: str, catalog: Catalog) -> list[Problem]:
    if not isinstance(entry, Mapping) or entry.get("enabled", True) is False:
        return []
    use, config = entry.get("use"), entry.get("config") or {}
    if not isinstance(use, str) or not isinstance(config, Mapping):
        return []  # typing the recipe has said so
    return build(kind, Part(use=use, config=dict(config)), path, catalog)[1]


def build(kind: type[C], part: Part | LossPart, path: str, catalog: Catalog) -> tuple[C | None, list[Problem]]:
    """Build one component from its part of the recipe."""
    try:
        entry = catalog.find(kind.kind, part.use)
    except LookupError as error:
        # a misspelt name is near a loaded one; only for another one are the plugins that are not required imported
        near = difflib.get_close_matches(part.use, catalog.names(kind.kind), n=1, cutoff=0.6)
        plugin = None if near else provider_of(kind.kind, part.use)
        what = str(error) if plugin is None else f"'{part.use}' is in the plugin '{plugin}': add it to `requires`"
        return None, [Problem(f"{path}.use", what)]
    config, problems = typed(entry.component.Config, part.config, f"{path}.config", owner=part.use)
    if problems:
        return None, problems
    make = cast(Callable[[Any], C], entry.component)
    try:
        return make(config), []
    except (ValueError, TypeError) as error:
        return None, [Problem(f"{path}.config", str(error))]
