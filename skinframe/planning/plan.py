"""The plan: a frozen statement of what will run, with a fingerprint, before anything heavy is loaded."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skinframe.catalog import Catalog
from skinframe.components import Component, Requirement
from skinframe.errors import RecipeError
from skinframe.planning.resolve import Parts, resolve
from skinframe.planning.wire import METADATA, Wiring, wire
from skinframe.recipe.schema import Recipe
from skinframe.sample import Field
from skinframe.version import __version__

# What may differ between two runs of the same experiment: it changes no number.
NOT_FINGERPRINTED = (
    "title",
    "images.workers",
    "images.patience",
    "train.save_every",
    "train.tensorboard",
    "evaluate.cases",
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Recipe, components, wiring, what is missing on this machine, and the fingerprint of all that decides a number.

    `told` are the fields that are read as numbers: the training data's, whatever set is judged later. None: nothing
    reads any.
    """

    recipe: Recipe
    parts: Parts
    wiring: Wiring
    origins: Mapping[str, str]
    missing: tuple[Requirement, ...]
    identity: Mapping[str, str]
    told: tuple[Field, ...] | None = None
    source: str = "recipe"

    @property
    def fingerprint(self) -> str:
        return digest_of(dict(self.identity))

    @property
    def run_name(self) -> str:
        return f"{self.recipe.name}-{self.fingerprint[:8]}"

    @property
    def uses_reasoner(self) -> bool:
        return any(full.startswith("reasoner.") for full in self.wiring.used)


def make_plan(recipe: Recipe, catalog: Catalog, source: str = "recipe") -> Plan:
    """Return the plan. Raises RecipeError with every problem at once."""
    parts, problems = resolve(recipe, catalog)
    if parts is None:
        raise RecipeError(source, problems)
    wiring, problems = wire(recipe, parts)
    if problems:
        raise RecipeError(source, problems)
    return Plan(
        recipe=recipe,
        parts=parts,
        wiring=wiring,
        origins=_origins(parts, catalog),
        missing=tuple(_missing(parts, wiring)),
        identity=_identity(recipe, parts, wiring, catalog),
        told=parts.dataset.fields if METADATA in wiring.used else None,
        source=source,
    )


def reseeded(plan: Plan, *, seed: int | None = None, division: int | None = None) -> Plan:
    """Return the plan under another seed, of everything or of the split, as the recipe with both would plan."""
    old = plan.recipe
    seed, division = old.seed if seed is None else seed, old.division_seed if division is None else division
    recipe = dataclasses.replace(old, seed=seed, split=dataclasses.replace(old.split, seed=division))
    identity = {**plan.identity, "seed": json.dumps(seed), "split.seed": json.dumps(division)}
    return dataclasses.replace(plan, recipe=recipe, identity=identity)


def active(parts: Parts, wiring: Wiring) -> dict[str, Component]:
    """Return the components that take part, by path; what was dropped is not among them."""
    found: dict[str, Component] = {"data": parts.dataset, "prompt": parts.prompt}
    encoders = {**parts.encoders, **parts.reasoner.brings()}
    found |= {f"encoders.{name}": encoders[name] for name in wiring.encoders}
    if any(full.startswith("reasoner.") for full in wiring.used):
        found["reasoner"] = parts.reasoner
    found |= {f"heads.{name}": parts.heads[name] for name in wiring.heads}
    found |= {f"losses.{name}": parts.losses[name] for name in wiring.losses}
    found |= {"balancer": parts.balancer, "calibrator": parts.calibrator, "explainer": parts.explainer}
    return found | {f"metrics.{name}": metric for name, metric in parts.metrics.items()}


def _missing(parts: Parts, wiring: Wiring) -> list[Requirement]:
    """Return what is not on this machine, a missing GPU first: nobody should download before learning of it."""
    found: list[Requirement] = []
    for component in active(parts, wiring).values():
        found += component.missing()
    return sorted(found, key=lambda requirement: requirement.kind != "gpu")


def _origins(parts: Parts, catalog: Catalog) -> dict[str, str]:
    by_class = {entry.component: str(entry.origin) for entry in catalog.entries.values()}
    everything: dict[str, Component] = {"data": parts.dataset, "prompt": parts.prompt}
    for kind in ("encoders", "reasoner", "heads", "losses", "metrics"):
        entries = getattr(parts, kind)
        everything |= {kind: entries} if kind == "reasoner" else {f"{kind}.{name}": entries[name] for name in entries}
    everything |= {"balancer": parts.balancer, "calibrator": parts.calibrator, "explainer": parts.explainer}
    return {path: by_class[type(component)] for path, component in everything.items()}


def _identity(recipe: Recipe, parts: Parts, wiring: Wiring, catalog: Catalog) -> dict[str, str]:
    """Every key that decides a number, each as short text: a refused resume names the key that differs."""
    flat = flatten(dataclasses.asdict(recipe))
    kept = {key: value for key, value in flat.items() if not key.startswith(NOT_FINGERPRINTED)}
    for path, component in active(parts, wiring).items():
        kept |= {f"{path}.{key}": value for key, value in flatten({"config": _options(component)}).items()}
        digest = _digest(component)
        if digest is not None:
            kept[f"{path}.digest"] = digest
    used = {entry.origin.plugin: entry.origin for entry in catalog.entries.values()}
    kept |= {f"plugins.{name}": f"{origin.distribution} {origin.version}" for name, origin in used.items()}
    kept["skinframe"] = __version__
    kept["split.seed"] = str(recipe.division_seed)  # left out or written, the same division is the same run
    for path in dropped_paths(wiring):  # a disabled component must not show, or weight 0 would be another run
        kept = {key: value for key, value in kept.items() if not key.startswith(f"{path}.")}
    return kept


def dropped_paths(wiring: Wiring) -> list[str]:
    return [sentence.split(" ")[0] for sentence in wiring.dropped]


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
