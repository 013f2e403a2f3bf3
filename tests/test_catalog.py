"""What keeps a class out of the catalog, and what a name that is not in it brings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import skinframe
from skinframe.catalog import Catalog, Origin, build_catalog, malformed
from skinframe.components import Loss
from skinframe.plugins import installed, load
from skinframe.signals import Labels, Logits

HERE = Origin("here", "skinframe-here", "1.0")
THERE = Origin("there", "skinframe-there", "2.0")


def loss(**members: Any) -> type[Loss]:
    def forward(self: Any, logits: Logits, labels: Labels) -> Any: ...

    return type("Made", (Loss,), {"name": "made", "coupling": "per_sample", "forward": forward, **members})


def unannotated(self: Any, logits, labels: Labels) -> Any: ...  # type: ignore[no-untyped-def]


@dataclass
class Loose:
    gamma: float = 1.0


@dataclass(frozen=True)
class Positional:
    gamma: float = 1.0


def test_a_whole_loss_is_taken() -> None:
    assert malformed(loss()) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: loss(coupling=None), "has no `coupling`; set it to 'per_sample'"),
        (lambda: loss(coupling="per-sample"), "has no `coupling`"),
        (lambda: loss(forward=unannotated), "parameter 'logits' .* has no signal annotation; annotate it"),
        (lambda: loss(forward=None), "has no `forward`"),
        (lambda: loss(name=None), "has no `name`"),
        (lambda: loss(Config=Loose), "not a frozen keyword-only dataclass"),
        (lambda: loss(Config=Positional), "not a frozen keyword-only dataclass"),
        (lambda: loss(Config=dict), "not a frozen keyword-only dataclass"),
        (lambda: int, "is not a component class"),
        (lambda: 3, "is not a component class"),
        (lambda: skinframe.Loss, "is not a component class"),
        (lambda: type("Half", (skinframe.Encoder,), {"name": "half"}), "does not implement .*digest"),
    ],
)
def test_a_malformed_class_is_named(make: Callable[[], Any], message: str) -> None:
    import re

    _, problems = build_catalog([(make(), HERE)], {}, {})
    assert len(problems) == 1
    assert re.search(message, problems[0]), problems[0]
    assert "skinframe-here 1.0" in problems[0]


def test_a_clash_names_both_origins() -> None:
    _, problems = build_catalog([(loss(), HERE), (loss(), THERE)], {}, {})
    (said,) = problems
    assert said.startswith("two plugins register the loss 'made': skinframe-here 1.0 (")
    assert ".py) and skinframe-there 2.0 (" in said


def test_the_same_class_twice_is_no_clash() -> None:
    one = loss()
    catalog, problems = build_catalog([(one, HERE), (one, HERE)], {}, {})
    assert not problems
    assert catalog.names("loss") == ["made"]


@pytest.fixture
def catalog() -> Catalog:
    return build_catalog([(loss(name="focal"), HERE), (loss(name="soft_ece"), HERE)], {"odd": "ImportError: x"}, {})[0]


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("loss", "focl", "no loss named 'focl'; did you mean 'focal'"),
        ("head", "focal", "no head named 'focal'; 'focal' is a loss"),
        ("loss", "zzz", "known: focal, soft_ece"),
        ("loss", "zzz", "not loaded: odd"),
    ],
)
def test_a_name_that_is_not_there(catalog: Catalog, kind: str, name: str, message: str) -> None:
    with pytest.raises(LookupError, match=message):
        catalog.find(kind, name)


def test_the_catalog_is_frozen(catalog: Catalog) -> None:
    with pytest.raises(AttributeError):
        catalog.entries = {}  # type: ignore[misc]


def test_a_class_is_summed_up_by_the_docstring_of_its_own_family() -> None:
    class Bare(skinframe.Dataset): ...

    class Told(Bare):
        """Lesions of one clinic.

        And more.
        """

    class Derived(Told): ...

    assert Bare.summary() == ""  # not what the base of every data set says of itself
    assert Told.summary() == Derived.summary() == "Lesions of one clinic."


def test_the_data_sets_that_a_program_draws_say_so() -> None:
    kinds = {n: e.component for (kind, n), e in load(installed()).entries.items() if kind == "dataset"}
    assert {name for name, kind in kinds.items() if kind.synthetic} == {"synthetic_dermoscopy", "planted_dermoscopy"}
