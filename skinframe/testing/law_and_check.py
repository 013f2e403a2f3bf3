"""A law, the check that looks for a counter-example to it, and the suite of one kind's laws."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from skinframe.components import Component

Draw = Callable[[Any, "Law"], st.SearchStrategy[Any]]
Draws = Callable[[Any, "Law"], Sequence[st.SearchStrategy[Any]]]
NOTE = "counter-example: "  # before the drawn input, in a note of the error that a check raises
ID = re.compile(r"\((I\d+)\)")


MORE = 0.25  # of the examples, for each further way of drawing inputs


def always(component: Component) -> bool:
    return True


def no_more(component: Component, law: Law) -> Sequence[st.SearchStrategy[Any]]:
    return ()


@dataclass(frozen=True)
class Law:
    """One law: a function of a component and one drawn input that asserts, and the components it is a law for."""

    law: Callable[[Any, Any], None]
    applies: Callable[[Any], bool] = always
    least: int = 0  # terms that an input must have
    share: float = 1.0  # of the examples asked for; a slow law takes fewer

    @property
    def name(self) -> str:
        return self.law.__name__

    @property
    def says(self) -> str:
        """The law in words: the first line of its docstring, without its number."""
        return ID.sub("", (inspect.getdoc(self.law) or "").partition("\n")[0]).replace(" :", ":").rstrip(". ")

    @property
    def number(self) -> str:
        """Its number among the laws of a loss, such as I4; empty where it has none."""
        match = ID.search(inspect.getdoc(self.law) or "")
        return match[1] if match else ""


@dataclass(frozen=True)
class Check:
    """One law as a test: call it with a component, and Hypothesis looks for a counter-example."""

    law: Law
    draw: Draw
    examples: int
    shrink: bool = True  # off where only the verdict matters, not a readable counter-example
    more: Draws = no_more

    @property
    def name(self) -> str:
        return self.law.name

    def __call__(self, component: Component) -> None:
        if not self.law.applies(component):
            pytest.skip(f"'{self.name}' does not apply to this {component.kind}")
        self._search(component, self.draw(component, self.law), 1.0)
        for further in self.more(component, self.law):
            self._search(component, further, MORE)

    def _search(self, component: Component, inputs: st.SearchStrategy[Any], share: float) -> None:
        options = settings(
            max_examples=max(1, round(self.examples * self.law.share * share)),
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink] if self.shrink else [Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        )

        def holds(drawn: Any) -> None:
            try:
                self.law.law(component, drawn)
            except Exception as error:
                error.add_note(f"{NOTE}{drawn!r}")
                raise

        options(given(drawn=inputs)(holds))()


@dataclass(frozen=True)
class Suite:
    """The laws of one kind, how their inputs are drawn, and how many examples are looked at."""

    kind: str
    laws: tuple[Law, ...]
    draw: Draw
    examples: int
    more: Draws = no_more  # further inputs that every law is also checked with

    def checks(self, component: Component | None = None) -> list[Check]:
        """Return the checks that apply to a component; all of them where none is given."""
        laws = [law for law in self.laws if component is None or law.applies(component)]
        return [Check(law, self.draw, self.examples, more=self.more) for law in laws]
