"""The signal graph of a plan as a value: nodes, what each reads and gives, roots, and what was dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from skinframe.planning.address import BATCH, REASONER, Address
from skinframe.signals import Output

Kind = Literal["column", "source", "encoder", "reasoner", "head", "term"]
Mode = Literal["cached", "live", "trained"]
MODEL: tuple[Kind, ...] = ("encoder", "reasoner", "head")


@dataclass(frozen=True, kw_only=True)
class Node:
    """One producer or consumer of signals.

    `reads` gives each input's address by the node's own name for it; `also` what a single output reads beside these
    (the scores of a rationale read its tokens, the state at the answer position does not). A `source` is something
    that is no tensor of the batch: the image, the prompt, the description. `terms_only` marks columns and sources that
    may reach loss terms and never the scores.
    """

    name: str
    kind: Kind
    reads: Mapping[str, Address] = field(default_factory=dict)
    gives: Mapping[str, Output] = field(default_factory=dict)
    also: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    terms_only: bool = False
    mode: Mode | None = None

    @property
    def outputs(self) -> tuple[Address, ...]:
        """The addresses that the node gives; a column or source gives itself."""
        return tuple(
            Address(BATCH if self.kind in ("column", "source") else self.name, signal) for signal in self.gives
        )

    def inputs(self, signal: str) -> tuple[Address, ...]:
        """Return what one of its outputs is computed from."""
        return (*self.reads.values(), *self.also.get(signal, ()))


@dataclass(frozen=True, kw_only=True)
class Roots:
    """What the graph is walked back from, by purpose: training, class scores, generated text, heat maps."""

    train: tuple[Address, ...]
    scores: Address
    text: Address | None = None
    focus: Address | None = None


@dataclass(frozen=True)
class Dropped:
    """A part of the recipe that does not take part, by its path, and why."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path} ({self.reason})"


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The live nodes in the order in which they run, terms last. Building one is `planning.connect`'s work."""

    nodes: tuple[Node, ...]
    roots: Roots
    dropped: tuple[Dropped, ...] = ()

    @cached_property
    def _producers(self) -> Mapping[Address, Node]:
        return {address: node for node in self.nodes if node.kind != "term" for address in node.outputs}

    @cached_property
    def used(self) -> frozenset[Address]:
        """Every address that a root is computed from, the roots included."""
        return self.ancestors(self.roots_of("train", "scores", "text", "focus"))

    @property
    def wanted(self) -> frozenset[Address]:
        """What a training step computes: the inputs of the terms, and the class scores."""
        return self.ancestors(self.roots_of("train", "scores"))

    @property
    def encoders(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(node.name for node in self.of_kind("encoder")))

    @property
    def trained_encoders(self) -> tuple[str, ...]:
        """The encoders that are a part of the model and read pixels."""
        return tuple(node.name for node in self.of_kind("encoder") if node.mode == "trained")

    @property
    def heads(self) -> Mapping[str, Mapping[str, Address]]:
        """What each head reads, by its own name for it."""
        return {node.name: node.reads for node in self.of_kind("head")}

    @property
    def terms(self) -> Mapping[str, Mapping[str, Address]]:
        """What each loss term reads, by parameter."""
        return {node.name: node.reads for node in self.of_kind("term")}

    @property
    def reasoner(self) -> Node | None:
        return next(self.of_kind("reasoner"), None)

    @property
    def eyes(self) -> tuple[Address, ...]:
        """The signals that the reasoner reads from encoders and columns, in its own order."""
        node = self.reasoner
        return () if node is None else tuple(node.reads.values())

    def of_kind(self, *kinds: Kind) -> Iterator[Node]:
        return (node for node in self.nodes if node.kind in kinds)

    def roots_of(self, *purposes: Literal["train", "scores", "text", "focus"]) -> frozenset[Address]:
        """Return the roots of some purposes; one that the graph does not have adds nothing."""
        named = {"scores": self.roots.scores, "text": self.roots.text, "focus": self.roots.focus}
        roots = {address for purpose in purposes if (address := named.get(purpose)) is not None}
        return frozenset(roots | set(self.roots.train if "train" in purposes else ()))

    def producer(self, address: Address) -> Node:
        """Return the node that gives a signal. Raises KeyError where none of the live nodes does."""
        return self._producers[address]

    def output(self, address: Address) -> Output:
        """Return the declared type of a signal. Raises KeyError where no live node gives it."""
        return self.producer(address).gives[address.signal]

    def ancestors(self, wanted: Iterable[Address], given: Collection[str] = ()) -> frozenset[Address]:
        """Return every address that the wanted ones are computed from, themselves included.

        A `given` address is at hand: nothing behind it is needed.
        """
        ancestors: set[Address] = set()
        todo = list(wanted)
        while todo:
            address = todo.pop()
            if address in ancestors:
                continue
            ancestors.add(address)
            if address not in given:
                todo += self.producer(address).inputs(address.signal)
        return frozenset(ancestors)

    def path_to(self, root: Address, ancestor: Address) -> tuple[Address, ...]:
        """Return one path from an ancestor to a root, both included; empty where there is none."""
        paths: dict[Address, tuple[Address, ...]] = {root: (root,)}
        todo = [root]
        while todo:
            address = todo.pop(0)
            for source in self.producer(address).inputs(address.signal):
                if source not in paths:
                    paths[source] = (source, *paths[address])
                    todo.append(source)
        return paths.get(ancestor, ())

    def statement(self) -> dict[str, object]:
        """Return the graph as plain data, for plan.yaml."""
        nodes = [
            {
                "node": str(node.name),
                "kind": node.kind,
                **({"mode": node.mode} if node.mode else {}),
                **({"reads": {role: str(address) for role, address in node.reads.items()}} if node.reads else {}),
                **({"gives": {signal: output.dims for signal, output in node.gives.items()}} if node.gives else {}),
            }
            for node in self.nodes
        ]
        named = {"scores": self.roots.scores, "text": self.roots.text, "focus": self.roots.focus}
        roots = {purpose: str(address) for purpose, address in named.items() if address is not None}
        return {"nodes": nodes, "roots": roots}

    def picture(self) -> list[str]:
        """Return the graph as lines of text: each node with what it reads and what it gives, sources first."""
        rows = [(_title(node), _inputs(node), _gives(node)) for node in self.nodes]
        width = max(len(title) for title, _, _ in rows)
        lines = []
        for title, reads, gives in rows:
            arrow = f"{reads} -> {gives}" if reads and gives else f"<- {reads}" if reads else f"-> {gives}"
            lines.append(f"  {title:<{width}}  {arrow}")
        for purpose in ("scores", "text", "focus"):
            lines += [f"  {purpose:<{width}}  <- {address}" for address in sorted(self.roots_of(purpose))]
        return lines


def _title(node: Node) -> str:
    kind = f"{node.kind}, {node.mode}" if node.mode else node.kind
    return node.name if node.kind == "reasoner" else f"{node.name} ({kind})"


def _inputs(node: Node) -> str:
    named = [str(a) if role == a.signal or node.kind == REASONER else f"{role}={a}" for role, a in node.reads.items()]
    extra = [str(address) for addresses in node.also.values() for address in addresses]
    return ", ".join(dict.fromkeys([*named, *extra]))


def _gives(node: Node) -> str:
    return ", ".join(f"{signal} [{output.dims}]" if output.dims else signal for signal, output in node.gives.items())
