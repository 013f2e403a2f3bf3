"""The signals that the components of a recipe offer, and the producer of each requested signal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from skinframe.components import Encoder
from skinframe.errors import Problem, did_you_mean
from skinframe.planning.address import REASONER, Address, column, instance_of, is_full
from skinframe.planning.resolve_components import Parts
from skinframe.recipe.recipe_schema import LossPart, Part, Recipe
from skinframe.signals import Output, output_of

SCORES = "the class probabilities"
GENERATED = "text"  # the reasoner's own rationale, generated and not teacher-forced
NO_TENSOR = Output(dims="", batch_axis="B")  # an image, a prompt, a generated text


class OfferedSignals:
    """Every address that can be read, by bare name and in full; requests without an answer are noted in `problems`."""

    def __init__(self, recipe: Recipe, parts: Parts, problems: list[Problem]) -> None:
        self.recipe, self.parts, self.problems = recipe, parts, problems
        self.encoders = encoders_of(parts)
        self.by_name = self._by_name()
        self.full = [address for addresses in self.by_name.values() for address in addresses]

    def _by_name(self) -> dict[str, list[Address]]:
        """Return, for each bare signal, the addresses that provide it.

        A bare name means the recipe's own encoder before one that the reasoner brings, which keeps its full name.
        """
        offered = {name: [column(name)] for name in self.parts.columns}
        for name, encoder in self.parts.encoders.items():
            for signal in encoder.provides():
                offered.setdefault(signal, []).append(Address(name, signal))
        own = frozenset(offered)
        for name, encoder in self.encoders.items():
            for signal in encoder.provides() if name not in self.parts.encoders else ():
                address = Address(name, signal)
                offered.setdefault(address if signal in own else signal, []).append(address)
        if self.parts.reasoner is not None:
            for signal in (*self.parts.reasoner.provides(), GENERATED):
                offered.setdefault(signal, []).append(Address(REASONER, signal))
        for name, head in self.parts.heads.items():
            for signal in head.provides():
                offered.setdefault(signal, []).append(Address(name, signal))
        return offered

    def find(self, requested: str, where: str) -> Address | None:
        """Return the one producer of a bare or full name, or None with a problem that names the candidates."""
        if is_full(requested):
            known = [address for address in self.full if address == requested]
            if not known:
                self.problems.append(Problem(where, f"needs '{requested}'{self._why_absent(requested)}"))
            return known[0] if known else None
        producers = self.by_name.get(requested, [])
        if len(producers) == 1:
            return producers[0]
        if producers:
            both = " and ".join(producers)
            self.problems.append(Problem(where, f"needs '{requested}', which {both} provide; {_choice(where)}"))
            return None
        disabled = [path for path in disabled_parts(self.recipe) if not path.startswith("losses.")]
        hint = f" (disabled: {', '.join(disabled)})" if disabled else did_you_mean(requested, self.by_name)
        self.problems.append(Problem(where, f"needs '{requested}', which nothing in this recipe provides{hint}"))
        return None

    def _why_absent(self, requested: str) -> str:
        """Say why an address is not offered: its instance is disabled, or it is misspelt."""
        instance = instance_of(requested)
        for kind in ("heads", "encoders"):
            part = getattr(self.recipe, kind).get(instance)
            if part is not None and not part.enabled:
                return f", but {kind}.{instance} is disabled"
        return did_you_mean(requested, self.full)

    def output(self, address: Address) -> Output:
        """Return what an offered address declares about its tensor."""
        if address.is_column:
            return output_of(self.parts.columns[address.signal].signal)
        if address.instance == REASONER:
            return self.reasoner_outputs()[address.signal]
        component = self.encoders.get(address.instance) or self.parts.heads[address.instance]
        return component.outputs()[address.signal]

    def reasoner_outputs(self) -> dict[str, Output]:
        """Return the outputs of the reasoner, the text that it generates among them."""
        assert self.parts.reasoner is not None
        return {**self.parts.reasoner.outputs(), GENERATED: NO_TENSOR}


def encoders_of(parts: Parts) -> dict[str, Encoder]:
    """Return the recipe's encoders and those that the reasoner brings, by instance name."""
    return {**parts.encoders, **({} if parts.reasoner is None else parts.reasoner.brings())}


def disabled_parts(recipe: Recipe) -> list[str]:
    """Return the recipe paths of the losses, heads and encoders that are switched off."""
    kinds: Iterable[tuple[str, Mapping[str, Part | LossPart]]] = (
        ("losses", recipe.losses),
        ("heads", recipe.heads),
        ("encoders", recipe.encoders),
    )
    return [f"{kind}.{name}" for kind, parts in kinds for name, part in parts.items() if not part.enabled]


def _choice(where: str) -> str:
    """Say how to choose among several producers of one signal."""
    if where.startswith("losses."):
        return "name one under `inputs`"
    return "name one as outputs.scores" if where == SCORES else "leave one out, for example with --without"
