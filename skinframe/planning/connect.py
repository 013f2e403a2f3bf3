"""Needs meet provides: builds the signal graph of a recipe, or says what does not fit, all problems at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from skinframe.components import Encoder, Head, Loss
from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.planning.address import REASONER, Address, bare, column, instance_of, instance_problems, is_full
from skinframe.planning.graph import Dropped, Graph, Node, Roots
from skinframe.planning.loss_schedule import schedule_of
from skinframe.planning.resolve_components import Parts
from skinframe.recipe.recipe_schema import LossPart, Part, Recipe
from skinframe.signals import Need, Output, needs, output_of

IMAGE, PROMPT, DESCRIPTION = column("image"), column("prompt"), column("description")
TEXT = Output(dims="", batch_axis="B")  # what is no tensor: an image, a prompt, a generated text
SOURCES = {
    IMAGE: Node(name=IMAGE, kind="source", gives={IMAGE.signal: TEXT}),
    PROMPT: Node(name=PROMPT, kind="source", gives={PROMPT.signal: TEXT}),
    # the description names the diagnosis: whatever is computed from it may supervise and never score
    DESCRIPTION: Node(name=DESCRIPTION, kind="source", gives={DESCRIPTION.signal: TEXT}, terms_only=True),
}
SCORES = "the class probabilities"
GENERATED = "text"  # the reasoner's own rationale, generated and not teacher-forced
COUNTED = "terms"  # a loss reads, beside its parameters, the column that counts its terms
TEACHER_FORCED = {"rationale_logits": column("rationale_targets")}  # what a single output reads beside image and prompt


def connect(recipe: Recipe, parts: Parts) -> tuple[Graph | None, list[Problem]]:
    """Return the graph of the live parts, or None and every problem."""
    found = _Connection(recipe, parts)
    graph = found.build()
    return (None if found.problems else graph), found.problems


class _Connection:
    """The work of `connect`: what is offered, what was found so far, what is wrong."""

    def __init__(self, recipe: Recipe, parts: Parts) -> None:
        self.recipe, self.parts = recipe, parts
        self.encoders = encoders_of(parts)
        self.problems = _names(recipe, parts)
        self.offered = self._offers()
        self.full = [address for addresses in self.offered.values() for address in addresses]
        self.heads: dict[str, Node] = {}
        self.reasoner: Node | None = None

    def build(self) -> Graph | None:
        dropped = [
            Dropped(f"{kind}.{name}", "disabled")
            for kind, entries in _named(self.recipe)
            for name, part in entries.items()
            if not part.enabled
        ]
        terms = []
        for name, loss in self.parts.losses.items():
            if self._never(name):
                dropped.append(Dropped(f"losses.{name}", "weight 0"))
            else:
                terms.append(self._term(name, loss))
        if not terms and not self.problems and self.recipe.trains:
            what = "no loss is enabled; training needs at least one term (train.epochs: 0 trains nothing)"
            self.problems.append(Problem("losses", what))
        scores = self._root("scores", self.recipe.outputs.scores or "logits", SCORES)
        if self.problems or scores is None:
            return None
        train = tuple(address for term in terms for address in term.inputs(COUNTED))
        asked = [self._root(purpose, getattr(self.recipe.outputs, purpose)) for purpose in ("text", "focus")]
        used = self._walk([*train, scores, *(address for address in asked if address is not None)])
        if self.problems:
            return None
        text, focus = asked
        if self.reasoner is not None:
            text = text or Address(REASONER, GENERATED)
            focus = focus or next((a for a in self.reasoner.reads.values() if not a.is_column), None)
        dropped += self._unread({address.instance for address in used})
        live = self._live(used)
        if self.problems:
            return None
        graph = Graph(
            nodes=(*live, *terms),
            roots=Roots(train=train, scores=scores, text=text, focus=focus),
            dropped=tuple(dropped),
        )
        self._guard(graph)
        return graph

    # --- what is offered -------------------------------------------------------------------------------------------

    def _offers(self) -> dict[str, list[Address]]:
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

    def _find(self, asked: str, where: str) -> Address | None:
        """Find the one producer of a bare or full name, or note who could have been and why it is not there."""
        if is_full(asked):
            known = [address for address in self.full if address == asked]
            if not known:
                self.problems.append(Problem(where, f"needs '{asked}'{self._absent(asked)}"))
            return known[0] if known else None
        found = self.offered.get(asked, [])
        if len(found) == 1:
            return found[0]
        if found:
            both = " and ".join(found)
            self.problems.append(Problem(where, f"needs '{asked}', which {both} provide; {_choice(where)}"))
            return None
        off = [f"{kind}.{n}" for kind, entries in _named(self.recipe) for n, p in entries.items() if not p.enabled]
        off = [path for path in off if not path.startswith("losses.")]
        hint = f" (disabled: {', '.join(off)})" if off else did_you_mean(asked, self.offered)
        self.problems.append(Problem(where, f"needs '{asked}', which nothing in this recipe provides{hint}"))
        return None

    def _absent(self, asked: str) -> str:
        """Say why an address is not offered: its instance is disabled, or it is misspelt."""
        instance = instance_of(asked)
        for kind in ("heads", "encoders"):
            part = getattr(self.recipe, kind).get(instance)
            if part is not None and not part.enabled:
                return f", but {kind}.{instance} is disabled"
        return did_you_mean(asked, self.full)

    # --- nodes -----------------------------------------------------------------------------------------------------

    def _never(self, name: str) -> bool:
        try:
            return schedule_of(self.recipe.losses[name].weight, f"losses.{name}.weight").never
        except RecipeError as error:
            self.problems += error.problems
            return False

    def _term(self, name: str, loss: Loss) -> Node:
        where, routes = f"losses.{name}", self.recipe.losses[name].inputs
        wanted = {need.parameter: need for need in needs(loss.forward)}
        for role in routes:
            if role not in wanted:
                self.problems.append(
                    Problem(f"{where}.inputs.{role}", f"has no such input{did_you_mean(role, wanted)}")
                )
        reads = {}
        for need in wanted.values():
            asked = routes.get(need.parameter)
            if asked is None and need.optional and need.signal.name not in self.offered:
                continue
            address = self._find(need.signal.name if asked is None else asked, where)
            if address is not None:
                reads[need.parameter] = address
                self._check_rank(need, address, where)
        counted = column(loss.normalise_by)
        known = [column(name) for name, each in self.parts.columns.items() if each.counts_terms]
        if counted not in known:
            hint = did_you_mean(loss.normalise_by, [address.signal for address in known])
            what = f"'{loss.name}' normalises by '{loss.normalise_by}', which no column counts{hint}"
            self.problems.append(Problem(where, what))
        return Node(name=name, kind="term", reads=reads, also={COUNTED: (counted,)})

    def _check_rank(self, need: Need, address: Address, where: str) -> None:
        """Refuse a route whose dims cannot fit, as far as they are declared."""
        given = self._output(address).dims
        if given is None or len(given.split()) == len(need.signal.dims.split()):
            return
        what = f"'{need.parameter}' has dims [{need.signal.dims}], '{address}' has [{given}]"
        self.problems.append(Problem(f"{where}.inputs.{need.parameter}", what))

    def _output(self, address: Address) -> Output:
        if address.is_column:
            return output_of(self.parts.columns[address.signal].signal)
        if address.instance == REASONER:
            return self._reasoner_gives()[address.signal]
        component = self.encoders.get(address.instance) or self.parts.heads[address.instance]
        return component.outputs()[address.signal]

    def _reasoner_gives(self) -> dict[str, Output]:
        assert self.parts.reasoner is not None
        return {**self.parts.reasoner.outputs(), GENERATED: TEXT}

    def _head(self, name: str, head: Head) -> Node:
        reads = {}
        for asked in head.needs():
            address = self._find(asked, f"heads.{name}")
            if address is not None and self._may_read(address, f"heads.{name}"):
                reads[bare(asked)] = address
        return Node(name=name, kind="head", reads=reads, gives=head.outputs())

    def _reasoner(self) -> Node:
        assert self.parts.reasoner is not None
        reads = {}
        for asked in self.parts.reasoner.needs():
            if asked not in self.full:
                hint = did_you_mean(asked, self.full)
                self.problems.append(Problem(REASONER, f"needs '{asked}', which no encoder provides{hint}"))
                continue
            address = Address.parse(asked)
            if self._may_read(address, REASONER):
                reads[asked] = address
        gives = self._reasoner_gives()
        also = {name: (PROMPT, *_some(TEACHER_FORCED.get(name))) for name in gives}
        return Node(name=REASONER, kind="reasoner", reads=reads, gives=gives, also=also)

    def _may_read(self, address: Address, where: str) -> bool:
        if address.is_column and self.parts.columns[address.signal].readable_by == "terms":
            what = f"may not read '{address}': only loss terms may, or a label could reach the scores"
            self.problems.append(Problem(where, what))
            return False
        return True

    def _walk(self, roots: Iterable[Address]) -> set[Address]:
        """Go from the roots back to the sources, making the nodes that are met; return every address met."""
        used: set[Address] = set()
        todo = list(roots)
        while todo:
            address = todo.pop()
            if address in used:
                continue
            used.add(address)
            instance = address.instance
            if instance in self.parts.heads and instance not in self.heads:
                self.heads[instance] = self._head(instance, self.parts.heads[instance])
                todo += self.heads[instance].reads.values()
            if instance == REASONER:
                if self.reasoner is None:
                    self.reasoner = self._reasoner()
                    todo += self.reasoner.reads.values()
                todo += [extra for extra in self.reasoner.also[address.signal] if extra not in SOURCES]
        return used

    def _unread(self, read: set[str]) -> list[Dropped]:
        why = "no remaining consumer"
        found = [Dropped(f"heads.{name}", why) for name in self.parts.heads if name not in read]
        found += [Dropped(f"encoders.{name}", why) for name in self.parts.encoders if name not in read]
        if self.parts.reasoner is not None and REASONER not in read:
            found.append(Dropped(REASONER, why))
        return found

    def _live(self, used: set[Address]) -> list[Node]:
        """Return the live nodes in the order in which they run: sources, columns, encoders, reasoner, heads."""
        columns = [
            Node(
                name=column(name),
                kind="column",
                gives={name: output_of(each.signal)},
                terms_only=each.readable_by == "terms",
            )
            for name, each in self.parts.columns.items()
            if column(name) in used
        ]
        encoders = [
            Node(name=name, kind="encoder", gives=encoder.outputs(), also=_encoder_reads(encoder), mode=encoder.mode)
            for name, encoder in self.encoders.items()
            if any(address.instance == name for address in used)
        ]
        inner = [self.reasoner] if self.reasoner is not None else []
        made = [*columns, *encoders, *inner, *self._ordered_heads()]
        read = {source for node in made for signal in node.gives for source in node.inputs(signal)}
        return [*(node for address, node in SOURCES.items() if address in read), *made]

    def _ordered_heads(self) -> list[Node]:
        """Return the heads so that each follows those that it reads; the recipe's order otherwise."""
        reads = {
            name: {address.instance for address in node.reads.values() if address.instance in self.heads}
            for name, node in self.heads.items()
        }
        try:
            TopologicalSorter(reads).prepare()
        except CycleError as error:
            circle = list(reversed(error.args[1]))
            told = ", ".join(f"{one} reads {other}" for one, other in pairwise(circle))
            self.problems.append(
                Problem("heads", f"heads read each other in a circle: {told}; break it at one of them")
            )
            return []
        ordered: list[str] = []

        def place(name: str) -> None:
            if name in ordered:
                return
            for before in self.parts.heads:
                if before in reads[name]:
                    place(before)
            ordered.append(name)

        for name in self.parts.heads:
            if name in self.heads:
                place(name)
        return [self.heads[name] for name in ordered]

    # --- roots and the law on labels -------------------------------------------------------------------------------

    def _root(self, purpose: str, asked: str | None, where: str | None = None) -> Address | None:
        return None if asked is None else self._find(asked, where or f"outputs.{purpose}")

    def _guard(self, graph: Graph) -> None:
        """Refuse every path from what only loss terms may read to the scores, the generated text or the heat map."""
        hidden = [address for node in graph.nodes if node.terms_only for address in node.outputs]
        for purpose in ("scores", "text", "focus"):
            for root in graph.roots_of(purpose):
                for address in hidden:
                    path = graph.path_to(root, address)
                    if path:
                        what = (
                            f"'{address}' is for loss terms only and must not reach the {purpose}: {' -> '.join(path)}"
                        )
                        self.problems.append(Problem(f"outputs.{purpose}", what))


def encoders_of(parts: Parts) -> dict[str, Encoder]:
    """Return the recipe's encoders and those that the reasoner brings, by instance name."""
    return {**parts.encoders, **({} if parts.reasoner is None else parts.reasoner.brings())}


def _encoder_reads(encoder: Encoder) -> dict[str, tuple[Address, ...]]:
    texts = encoder.text_signals()
    return {name: (DESCRIPTION if name in texts else IMAGE,) for name in encoder.provides()}


def _names(recipe: Recipe, parts: Parts) -> list[Problem]:
    """Return why instances cannot be called as they are: reserved, not a name, or the same as another."""
    problems = []
    taken: dict[str, str] = {}
    for kind in ("encoders", "heads"):
        for name, part in getattr(recipe, kind).items():
            problems += instance_problems(f"{kind}.{name}", name) if part.enabled else []
            if part.enabled and name in taken:
                what = f"'{name}' is {taken[name]} already, and both would give '{name}.…' signals; rename one"
                problems.append(Problem(f"{kind}.{name}", what))
            taken.setdefault(name, f"{kind}.{name}")
    for name in {} if parts.reasoner is None else parts.reasoner.brings():
        if name in taken:
            what = f"'{name}' is the name of an encoder that the reasoner brings; choose another name"
            problems.append(Problem(taken[name], what))
    return problems


def _named(recipe: Recipe) -> Iterable[tuple[str, Mapping[str, Part | LossPart]]]:
    return (("losses", recipe.losses), ("heads", recipe.heads), ("encoders", recipe.encoders))


def _choice(where: str) -> str:
    """Say how to choose among several producers of one signal."""
    if where.startswith("losses."):
        return "name one under `inputs`"
    return "name one as outputs.scores" if where == SCORES else "leave one out, for example with --without"


def _some(value: Address | None) -> tuple[Address, ...]:
    return () if value is None else (value,)
