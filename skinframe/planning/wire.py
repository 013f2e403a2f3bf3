"""Needs meet provides: every parameter of every head and loss gets the full name of the signal that feeds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from skinframe import signals
from skinframe.components import Head
from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.planning.resolve import Parts
from skinframe.planning.schedule import schedule_of
from skinframe.recipe.schema import Recipe
from skinframe.signals import Need, Signal, needs

METADATA = "batch.metadata"  # of a batch, all that a head may read: the prompt's template says the same in words
BATCH = (
    "labels",
    "class_counts",
    "attributes",
    "text_ids",
    "sample_ids",
    "site_ids",
    "metadata",
    "lesion_cover",
    "rationale_targets",
)


@dataclass
class Wiring:
    """`losses[name][parameter]` and `heads[name][signal]` are full signal names; `dropped` says what went and why."""

    losses: dict[str, dict[str, str]] = field(default_factory=dict)
    heads: dict[str, dict[str, str]] = field(default_factory=dict)
    reasoner: tuple[str, ...] = ()
    logits: str = ""
    used: frozenset[str] = frozenset()
    dropped: list[str] = field(default_factory=list)
    encoders: tuple[str, ...] = ()


def wire(recipe: Recipe, parts: Parts) -> tuple[Wiring, list[Problem]]:
    """Wire losses back to their producers, and drop what nothing reads."""
    wiring = Wiring()
    problems: list[Problem] = []
    offered = producers(parts)
    for kind, entries in (("losses", recipe.losses), ("heads", recipe.heads), ("encoders", recipe.encoders)):
        wiring.dropped += [f"{kind}.{name} (disabled)" for name, part in entries.items() if not part.enabled]
    for name, loss in parts.losses.items():
        part = recipe.losses[name]
        try:
            never = schedule_of(part.weight, f"losses.{name}.weight").never
        except RecipeError as error:
            never = False
            problems += error.problems
        if never:
            wiring.dropped.append(f"losses.{name} (weight 0)")
            continue
        feeds, found = _feeds(needs(loss.forward), part.inputs, offered, f"losses.{name}", recipe)
        wiring.losses[name] = feeds
        problems += found
    if not wiring.losses and not problems:
        problems.append(Problem("losses", "no loss is enabled; a run needs at least one term"))
    wiring.logits, found = _one("logits", offered, "the class probabilities", recipe)
    problems += found
    if not problems:
        problems += _walk_back(wiring, parts, offered, recipe)
    return wiring, problems


def producers(parts: Parts) -> dict[str, list[str]]:
    """Return, for each bare signal name, the full names that provide it.

    A bare name means the recipe's own encoder before one that the reasoner brings, which keeps its full name.
    """
    offered: dict[str, list[str]] = {name: [f"batch.{name}"] for name in BATCH}
    for instance, encoder in parts.encoders.items():
        for signal in encoder.provides():
            offered.setdefault(signal, []).append(f"{instance}.{signal}")
    own = frozenset(offered)
    for instance, encoder in parts.reasoner.brings().items():
        for signal in encoder.provides():
            key = f"{instance}.{signal}" if signal in own else signal
            offered.setdefault(key, []).append(f"{instance}.{signal}")
    for signal in parts.reasoner.provides():
        offered.setdefault(signal, []).append(f"reasoner.{signal}")
    for instance, head in parts.heads.items():
        for signal in head.provides():
            offered.setdefault(signal, []).append(f"{instance}.{signal}")
    return offered


def _feeds(
    wanted: Iterable[Need], routes: Mapping[str, str], offered: dict[str, list[str]], where: str, recipe: Recipe
) -> tuple[dict[str, str], list[Problem]]:
    feeds, problems = {}, []
    parameters = {need.parameter: need for need in wanted}
    for role in routes:
        if role not in parameters:
            problems.append(Problem(f"{where}.inputs.{role}", f"has no such input{did_you_mean(role, parameters)}"))
    for name, need in parameters.items():
        asked = routes.get(name, need.signal.name)
        if need.optional and name not in routes and asked not in offered:
            continue
        full, found = _one(asked, offered, where, recipe)
        problems += [Problem(where, problem.what) for problem in found]
        if full and not found:
            problems += _rank(need, full, where)
            feeds[name] = full
    return feeds, problems


def _one(asked: str, offered: dict[str, list[str]], where: str, recipe: Recipe) -> tuple[str, list[Problem]]:
    """Find the one producer of a bare or full name, or say who could have been and why it is not there."""
    full_names = [full for fulls in offered.values() for full in fulls]
    if "." in asked:
        if asked in full_names:
            return asked, []
        off = asked.split(".")[0]
        reason = f", but heads.{off} is disabled" if off in recipe.heads else did_you_mean(asked, full_names)
        return "", [Problem(where, f"needs '{asked}'{reason}")]
    found = offered.get(asked, [])
    if len(found) == 1:
        return found[0], []
    if found:
        both = " and ".join(found)
        todo = "name one under `inputs`" if where.startswith("losses.") else "leave one out, for example with --without"
        return "", [Problem(where, f"needs '{asked}', which {both} provide; {todo}")]
    disabled = [
        f"{kind}.{n}" for kind in ("heads", "encoders") for n, p in getattr(recipe, kind).items() if not p.enabled
    ]
    hint = f" (disabled: {', '.join(disabled)})" if disabled else did_you_mean(asked, offered)
    return "", [Problem(where, f"needs '{asked}', which nothing in this recipe provides{hint}")]


def _rank(need: Need, full: str, where: str) -> list[Problem]:
    """Refuse a re-route whose dims cannot fit, as far as the standard signals tell."""
    given = known_signals().get(full.rpartition(".")[2])
    if given is None or len(given.dims.split()) == len(need.signal.dims.split()):
        return []
    what = f"'{need.parameter}' has dims [{need.signal.dims}], '{full}' has [{given.dims}]"
    return [Problem(f"{where}.inputs.{need.parameter}", what)]


def known_signals() -> dict[str, Signal]:
    """Return the standard signals by name."""
    found = (signals.signal_of(value) for value in vars(signals).values())
    return {signal.name: signal for signal in found if signal is not None}


def _walk_back(wiring: Wiring, parts: Parts, offered: dict[str, list[str]], recipe: Recipe) -> list[Problem]:
    """From what losses and the evaluation read back to encoders; what is not met on the way is dropped."""
    problems: list[Problem] = []
    used: set[str] = set()
    todo = [full for feeds in wiring.losses.values() for full in feeds.values()] + [wiring.logits]
    while todo:
        full = todo.pop()
        if full in used:
            continue
        used.add(full)
        instance = full.split(".")[0]
        if instance in parts.heads and instance not in wiring.heads:
            wiring.heads[instance], found = _head_feeds(parts.heads[instance], instance, offered, recipe)
            problems += found
            todo += wiring.heads[instance].values()
        if instance == "reasoner" and not wiring.reasoner:
            wiring.reasoner = parts.reasoner.needs()
            full_names = [name for fulls in offered.values() for name in fulls]
            for need in wiring.reasoner:
                if need not in full_names:
                    hint = did_you_mean(need, full_names)
                    problems.append(Problem("reasoner", f"needs '{need}', which no encoder provides{hint}"))
            todo += wiring.reasoner
    read = {full.split(".")[0] for full in used}
    wiring.dropped += [f"heads.{n} (no remaining consumer)" for n in parts.heads if n not in read]
    wiring.dropped += [f"encoders.{n} (no remaining consumer)" for n in parts.encoders if n not in read]
    wiring.dropped += [] if "reasoner" in read else ["reasoner (no remaining consumer)"]
    wiring.encoders = tuple(n for n in {**parts.encoders, **parts.reasoner.brings()} if n in read)
    wiring.heads = {name: wiring.heads[name] for name in parts.heads if name in wiring.heads}  # the recipe's order
    wiring.used = frozenset(used)
    return problems


def _head_feeds(
    head: Head, name: str, offered: dict[str, list[str]], recipe: Recipe
) -> tuple[dict[str, str], list[Problem]]:
    feeds, problems = {}, []
    for signal in head.needs():
        full, found = _one(signal, offered, f"heads.{name}", recipe)
        if full.startswith("batch.") and full != METADATA:
            found = [Problem(f"heads.{name}", f"may not read '{full}': a model never sees labels or their like")]
        problems += found
        if full:
            feeds[signal.rpartition(".")[2]] = full
    return feeds, problems
