"""Builds the signal graph of a recipe from its outputs and losses back to the data, or returns every problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from skinframe.errors import Problem
from skinframe.planning.address import REASONER, Address, instance_problems
from skinframe.planning.graph import Dropped, Graph, Node, Roots
from skinframe.planning.graph_nodes import COUNTED, SOURCES, NodeMaker
from skinframe.planning.loss_schedule import Schedule
from skinframe.planning.offered_signals import GENERATED, SCORES, OfferedSignals, disabled_parts
from skinframe.planning.resolve_components import Parts
from skinframe.recipe.recipe_schema import Recipe


def connect(
    recipe: Recipe, parts: Parts, schedules: Mapping[str, Schedule], known: Iterable[Problem] = ()
) -> tuple[Graph | None, list[Problem]]:
    """Return the graph of the live parts, or None and every problem, those that were `known` before among them.

    `schedules` are those of the enabled losses; a loss whose schedule could not be read has none.
    """
    connection = _Connection(recipe, parts, [*known, *_instance_names(recipe, parts)])
    graph = connection.build(schedules)
    return (None if connection.problems else graph), connection.problems


class _Connection:
    """The work of `connect`: the nodes that were reached so far, and what is wrong."""

    def __init__(self, recipe: Recipe, parts: Parts, problems: list[Problem]) -> None:
        self.recipe, self.parts, self.problems = recipe, parts, problems
        self.signals = OfferedSignals(recipe, parts, problems)
        self.nodes = NodeMaker(self.signals)
        self.heads: dict[str, Node] = {}
        self.reasoner: Node | None = None

    def build(self, schedules: Mapping[str, Schedule]) -> Graph | None:
        dropped = [Dropped(path, "disabled") for path in disabled_parts(self.recipe)]
        terms = []
        for name, loss in self.parts.losses.items():
            if name in schedules and schedules[name].never:
                dropped.append(Dropped(f"losses.{name}", "weight 0"))
            else:
                terms.append(self.nodes.term(name, loss))
        if not terms and not self.problems and self.recipe.trains:
            what = "no loss is enabled; training needs at least one term (train.epochs: 0 trains nothing)"
            self.problems.append(Problem("losses", what))
        scores = self.signals.find(self.recipe.outputs.scores or "logits", SCORES)
        if self.problems or scores is None:
            return None
        train = tuple(address for term in terms for address in term.inputs(COUNTED))
        text, focus = self._output("text"), self._output("focus")
        used = self._walk([*train, scores, *(address for address in (text, focus) if address is not None)])
        if self.problems:
            return None
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
        self.problems += _label_paths(graph)
        return graph

    def _output(self, purpose: str) -> Address | None:
        requested = getattr(self.recipe.outputs, purpose)
        return None if requested is None else self.signals.find(requested, f"outputs.{purpose}")

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
                self.heads[instance] = self.nodes.head(instance, self.parts.heads[instance])
                todo += self.heads[instance].reads.values()
            if instance == REASONER:
                if self.reasoner is None:
                    self.reasoner = self.nodes.reasoner()
                    todo += self.reasoner.reads.values()
                todo += [extra for extra in self.reasoner.also[address.signal] if extra not in SOURCES]
        return used

    def _unread(self, read: set[str]) -> list[Dropped]:
        why = "no remaining consumer"
        unread = [Dropped(f"heads.{name}", why) for name in self.parts.heads if name not in read]
        unread += [Dropped(f"encoders.{name}", why) for name in self.parts.encoders if name not in read]
        if self.parts.reasoner is not None and REASONER not in read:
            unread.append(Dropped(REASONER, why))
        return unread

    def _live(self, used: set[Address]) -> list[Node]:
        """Return the live nodes in the order in which they run: sources, columns, encoders, reasoner, heads."""
        inner = [self.reasoner] if self.reasoner is not None else []
        heads = self.nodes.ordered_heads(self.heads)
        made = [*self.nodes.columns(used), *self.nodes.encoders(used), *inner, *heads]
        read = {source for node in made for signal in node.gives for source in node.inputs(signal)}
        return [*(node for address, node in SOURCES.items() if address in read), *made]


def _label_paths(graph: Graph) -> list[Problem]:
    """Refuse every path from what only loss terms may read to the scores, the generated text or the heat map."""
    problems = []
    hidden = [address for node in graph.nodes if node.terms_only for address in node.outputs]
    for purpose in ("scores", "text", "focus"):
        for root in graph.roots_of(purpose):
            for path in filter(None, (graph.path_to(root, address) for address in hidden)):
                what = f"'{path[0]}' is for loss terms only and must not reach the {purpose}: {' -> '.join(path)}"
                problems.append(Problem(f"outputs.{purpose}", what))
    return problems


def _instance_names(recipe: Recipe, parts: Parts) -> list[Problem]:
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
