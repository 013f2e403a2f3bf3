"""Nodes of the signal graph: what each loss term, head, reasoner, encoder and column reads and gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from skinframe.components import Encoder, Head, Loss
from skinframe.errors import Problem, did_you_mean
from skinframe.planning.address import REASONER, Address, bare, column
from skinframe.planning.graph import Node
from skinframe.planning.offered_signals import NO_TENSOR, OfferedSignals
from skinframe.signals import Need, Output, needs, output_of

IMAGE, PROMPT, DESCRIPTION = column("image"), column("prompt"), column("description")
SOURCES = {
    IMAGE: Node(name=IMAGE, kind="source", gives={IMAGE.signal: NO_TENSOR}),
    PROMPT: Node(name=PROMPT, kind="source", gives={PROMPT.signal: NO_TENSOR}),
    # the description names the diagnosis: whatever is computed from it may supervise and never score
    DESCRIPTION: Node(name=DESCRIPTION, kind="source", gives={DESCRIPTION.signal: NO_TENSOR}, terms_only=True),
}
COUNTED = "terms"  # a loss reads, beside its parameters, the column that counts its terms
TEACHER_FORCED = {"rationale_logits": column("rationale_targets")}  # what a single output reads beside image and prompt


class NodeMaker:
    """Makes nodes whose inputs are producers among the offered signals; what does not fit is noted as a problem."""

    def __init__(self, signals: OfferedSignals) -> None:
        self.signals, self.parts, self.problems = signals, signals.parts, signals.problems

    def term(self, name: str, loss: Loss) -> Node:
        """Return the node of a loss term: its parameters, each routed by the recipe or by the signal's name."""
        where, routes = f"losses.{name}", self.signals.recipe.losses[name].inputs
        wanted = {need.parameter: need for need in needs(loss.forward)}
        for role in routes:
            if role not in wanted:
                self.problems.append(
                    Problem(f"{where}.inputs.{role}", f"has no such input{did_you_mean(role, wanted)}")
                )
        reads = {}
        for need in wanted.values():
            route = routes.get(need.parameter)
            if route is None and need.optional and need.signal.name not in self.signals.by_name:
                continue
            address = self.signals.find(need.signal.name if route is None else route, where)
            if address is not None:
                reads[need.parameter] = address
                self._check_layout(need, address, where, route is not None)
        counted = column(loss.normalise_by)
        known = [column(signal) for signal, each in self.parts.columns.items() if each.counts_terms]
        if counted not in known:
            hint = did_you_mean(loss.normalise_by, [address.signal for address in known])
            what = f"'{loss.name}' normalises by '{loss.normalise_by}', which no column counts{hint}"
            self.problems.append(Problem(where, what))
        return Node(name=name, kind="term", reads=reads, also={COUNTED: (counted,)})

    def _check_layout(self, need: Need, address: Address, where: str, routed: bool) -> None:
        """Refuse an input that cannot fit, as far as its dims are declared.

        A signal that is read under its own name has one layout: its dims and element kind agree wherever it is
        declared. A signal that the recipe routes to a parameter needs the same number of dims.
        """
        output = self.signals.output(address)
        if output.dims is None:
            return
        given, wanted = output.dims.split(), need.signal.dims.split()
        if len(given) != len(wanted) and routed:
            what = f"'{need.parameter}' has dims [{need.signal.dims}], '{address}' has [{output.dims}]"
            self.problems.append(Problem(f"{where}.inputs.{need.parameter}", what))
        elif address.signal == need.signal.name and (given, output.dtype) != (wanted, output_of(need.signal).dtype):
            here, there = _layout(output_of(need.signal)), _layout(output)
            what = f"reads '{need.signal.name}' as {here}, and '{address}' is {there}; declare the same dims and kind"
            self.problems.append(Problem(where, what))

    def head(self, name: str, head: Head) -> Node:
        """Return the node of a head, which may read encoders, the reasoner, other heads and columns of the model."""
        reads = {}
        for requested in head.needs():
            address = self.signals.find(requested, f"heads.{name}")
            if address is not None and self._may_read(address, f"heads.{name}"):
                reads[bare(requested)] = address
        return Node(name=name, kind="head", reads=reads, gives=head.outputs())

    def reasoner(self) -> Node:
        """Return the node of the reasoner; its needs are full addresses."""
        assert self.parts.reasoner is not None
        reads = {}
        for requested in self.parts.reasoner.needs():
            if requested not in self.signals.full:
                hint = did_you_mean(requested, self.signals.full)
                self.problems.append(Problem(REASONER, f"needs '{requested}', which no encoder provides{hint}"))
                continue
            address = Address.parse(requested)
            if self._may_read(address, REASONER):
                reads[requested] = address
        gives = self.signals.reasoner_outputs()
        forced = {name: (TEACHER_FORCED[name],) if name in TEACHER_FORCED else () for name in gives}
        also = {name: (PROMPT, *forced[name]) for name in gives}
        return Node(name=REASONER, kind="reasoner", reads=reads, gives=gives, also=also)

    def _may_read(self, address: Address, where: str) -> bool:
        if address.is_column and self.parts.columns[address.signal].readable_by == "terms":
            what = f"may not read '{address}': only loss terms may, or a label could reach the scores"
            self.problems.append(Problem(where, what))
            return False
        return True

    def columns(self, used: Collection[Address]) -> list[Node]:
        """Return the nodes of the columns that something reads."""
        return [
            Node(
                name=column(name),
                kind="column",
                gives={name: output_of(each.signal)},
                terms_only=each.readable_by == "terms",
            )
            for name, each in self.parts.columns.items()
            if column(name) in used
        ]

    def encoders(self, used: Collection[Address]) -> list[Node]:
        """Return the nodes of the encoders that something reads."""
        return [
            Node(name=name, kind="encoder", gives=encoder.outputs(), also=_encoder_reads(encoder), mode=encoder.mode)
            for name, encoder in self.signals.encoders.items()
            if any(address.instance == name for address in used)
        ]

    def ordered_heads(self, heads: Mapping[str, Node]) -> list[Node]:
        """Return the heads so that each follows those that it reads; the recipe's order otherwise."""
        reads = {
            name: {address.instance for address in node.reads.values() if address.instance in heads}
            for name, node in heads.items()
        }
        try:
            TopologicalSorter(reads).prepare()
        except CycleError as error:
            circle = list(reversed(error.args[1]))
            steps = ", ".join(f"{reader} reads {source}" for reader, source in pairwise(circle))
            self.problems.append(
                Problem("heads", f"heads read each other in a circle: {steps}; break it at one of them")
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
            if name in heads:
                place(name)
        return [heads[name] for name in ordered]


def _encoder_reads(encoder: Encoder) -> dict[str, tuple[Address, ...]]:
    texts = encoder.text_signals()
    return {name: (DESCRIPTION if name in texts else IMAGE,) for name in encoder.provides()}


def _layout(output: Output) -> str:
    return f"{output.dtype} [{output.dims}]"
