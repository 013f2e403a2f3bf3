"""The plan: a frozen statement of what will run, with a fingerprint, before anything heavy is loaded."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skinframe.catalog import Catalog
from skinframe.components import Component, Encoder, Requirement
from skinframe.errors import RecipeError
from skinframe.planning.address import column
from skinframe.planning.connect import connect
from skinframe.planning.graph import Graph
from skinframe.planning.loss_schedule import Schedule, loss_schedules
from skinframe.planning.offered_signals import encoders_of
from skinframe.planning.resolve_components import Parts, resolve
from skinframe.planning.stage_parts import stage_problems
from skinframe.plugins import ENGINE
from skinframe.recipe.recipe_schema import Recipe
from skinframe.sample import Field
from skinframe.version import __version__

# What may differ between two runs of the same experiment: it changes no number.
NOT_FINGERPRINTED = (
    "title",
    "images.workers",
    "images.patience",
    "train.keep",
    "train.save_every",
    "train.tensorboard",
    "trackers",
    "evaluate.cases",
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Recipe, components, signal graph, what is missing here, and the fingerprint of all that decides a number.

    `metadata_fields` are the fields that a model reads as numbers: those of the training data, whatever set is judged
    later; None where nothing reads any.
    """

    recipe: Recipe
    parts: Parts
    graph: Graph
    schedules: Mapping[str, Schedule]  # the weight over time of each term of the graph
    origins: Mapping[str, str]
    missing: tuple[Requirement, ...]
    identity: Mapping[str, str]
    metadata_fields: tuple[Field, ...] | None = None
    source: str = "recipe"

    @property
    def fingerprint(self) -> str:
        return digest_of(dict(self.identity))

    @property
    def run_name(self) -> str:
        return f"{self.recipe.name}-{self.fingerprint[:8]}"

    @property
    def uses_reasoner(self) -> bool:
        return self.graph.reasoner is not None

    @property
    def encoders(self) -> dict[str, Encoder]:
        """The encoders that take part, those that the reasoner brings among them, by instance name."""
        known = encoders_of(self.parts)
        return {name: known[name] for name in self.graph.encoders}


def make_plan(recipe: Recipe, catalog: Catalog, source: str = "recipe") -> Plan:
    """Return the plan. Raises RecipeError with every problem at once."""
    parts, problems = resolve(recipe, catalog)
    if parts is None:
        raise RecipeError(source, problems)
    schedules, problems = loss_schedules(recipe.losses)
    graph, problems = connect(recipe, parts, schedules, problems)
    if graph is not None:
        problems = [*problems, *stage_problems(recipe, list(graph.heads), graph.reasoner is not None)]
    if graph is None or problems:
        raise RecipeError(source, problems)
    return Plan(
        recipe=recipe,
        parts=parts,
        graph=graph,
        schedules={name: schedules[name] for name in graph.terms},
        origins=_origins(parts, graph, catalog),
        missing=tuple(_missing(parts, graph)),
        identity=_identity(recipe, parts, graph, catalog),
        metadata_fields=parts.dataset.fields if column("metadata") in graph.used else None,
        source=source,
    )


def reseeded(plan: Plan, *, seed: int | None = None, division: int | None = None) -> Plan:
    """Return the plan under another seed, of everything or of the split, as the recipe with both would plan."""
    old = plan.recipe
    seed, division = old.seed if seed is None else seed, old.division_seed if division is None else division
    recipe = dataclasses.replace(old, seed=seed, split=dataclasses.replace(old.split, seed=division))
    identity = {**plan.identity, "seed": json.dumps(seed), "split.seed": json.dumps(division)}
    return dataclasses.replace(plan, recipe=recipe, identity=identity)


def active(parts: Parts, graph: Graph) -> dict[str, Component]:
    """Return the components that take part, by path; what was dropped is not among them."""
    components: dict[str, Component] = {"data": parts.dataset, "prompt": parts.prompt}
    columns = list(graph.of_kind("column"))
    components |= {f"columns.{signal}": parts.columns[signal] for node in columns for signal in node.gives}
    encoders = encoders_of(parts)
    components |= {f"encoders.{name}": encoders[name] for name in graph.encoders}
    if graph.reasoner is not None and parts.reasoner is not None:
        components["reasoner"] = parts.reasoner
    components |= {f"heads.{name}": parts.heads[name] for name in parts.heads if name in graph.heads}
    components |= {f"losses.{name}": parts.losses[name] for name in graph.terms}
    components |= {"balancer": parts.balancer, "calibrator": parts.calibrator, "explainer": parts.explainer}
    return components | {f"metrics.{name}": metric for name, metric in parts.metrics.items()}


def _missing(parts: Parts, graph: Graph) -> list[Requirement]:
    """Return what is not on this machine, a missing GPU first: nobody should download before learning of it."""
    requirements: list[Requirement] = []
    for component in active(parts, graph).values():
        requirements += component.missing()
    return sorted(requirements, key=lambda requirement: requirement.kind != "gpu")


def _origins(parts: Parts, graph: Graph, catalog: Catalog) -> dict[str, str]:
    by_class = {entry.component: str(entry.origin) for entry in catalog.entries.values()}
    everything: dict[str, Component] = {"data": parts.dataset, "prompt": parts.prompt}
    read = {signal: parts.columns[signal] for node in graph.of_kind("column") for signal in node.gives}
    own = {entry.component for entry in catalog.entries.values() if entry.origin.plugin == ENGINE}
    everything |= {f"columns.{name}": each for name, each in read.items() if type(each) not in own}
    for kind in ("encoders", "heads", "losses", "metrics"):
        everything |= {f"{kind}.{name}": component for name, component in getattr(parts, kind).items()}
        if kind == "encoders" and parts.reasoner is not None:
            everything["reasoner"] = parts.reasoner
    everything |= {"balancer": parts.balancer, "calibrator": parts.calibrator, "explainer": parts.explainer}
    return {path: by_class[type(component)] for path, component in everything.items()}


def _identity(recipe: Recipe, parts: Parts, graph: Graph, catalog: Catalog) -> dict[str, str]:
    """Every key that decides a number, each as short text: a refused resume names the key that differs."""
    flat = flatten(dataclasses.asdict(recipe))
    kept = {key: value for key, value in flat.items() if not key.startswith(NOT_FINGERPRINTED)}
    kept = {key: value for key, value in kept.items() if not (key.startswith("outputs.") and value == "null")}
    kept = {key: value for key, value in kept.items() if recipe.stages or key not in ("stages", "select.stages")}
    for path, component in active(parts, graph).items():
        kept |= {f"{path}.{key}": value for key, value in flatten({"config": _options(component)}).items()}
        digest = _digest(component)
        if digest is not None:
            kept[f"{path}.digest"] = digest
    used = {entry.origin.plugin: entry.origin for entry in catalog.entries.values()}
    kept |= {f"plugins.{name}": f"{origin.distribution} {origin.version}" for name, origin in used.items()}
    kept["skinframe"] = __version__
    kept["split.seed"] = str(recipe.division_seed)  # left out or written, the same division is the same run
    for part in graph.dropped:  # a disabled component must not show, or weight 0 would be another run
        kept = {key: value for key, value in kept.items() if not key.startswith(f"{part.path}.")}
    return kept


def _options(component: Component) -> dict[str, Any]:
    return dataclasses.asdict(component.config)


def _digest(component: Component) -> str | None:
    """A component whose weights or tables are not on this machine cannot be digested; the plan still prints."""
    if type(component).digest is Component.digest:
        return None
    if any(requirement.kind != "gpu" for requirement in component.missing()):
        return "missing"
    return component.digest()


def flatten(data: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return `{"train.epochs": "20", …}`; empty mappings vanish."""
    flat: dict[str, str] = {}
    for key, value in data.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{path}.")
        else:
            flat[path] = json.dumps(value, sort_keys=True, default=str)
    return flat


def digest_of(values: Any) -> str:
    """Return the SHA-256 of a JSON value, in hex."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
