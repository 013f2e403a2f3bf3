"""Variants of a component with one option changed: a different output needs a different digest."""

from __future__ import annotations

import dataclasses
import string
import typing
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar

from skinframe.components import Component
from skinframe.errors import SkinframeError

C = TypeVar("C", bound=Component)


def variants(component: C) -> Iterator[tuple[str, C]]:
    """Yield what was changed, and the component with that one option changed; what its Config refuses is left out."""
    config = component.config
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        for value in _others(hints[field.name], getattr(config, field.name)):
            try:
                changed = dataclasses.replace(config, **{field.name: value})
                yield f"{field.name}={value!r}", type(component)(changed)
            except (ValueError, TypeError, SkinframeError):
                continue


def is_digest(digest: str) -> None:
    """Assert that it is a hex string of at least 128 bits."""
    assert len(digest) >= 32, f"the digest '{digest}' is shorter than 32 hex digits"
    assert set(digest) <= set(string.hexdigits), f"the digest '{digest}' is not a hex string"


def tells_apart(component: C, digest: Callable[[C], str], gives: Callable[[C], Any]) -> None:
    """Assert that each variant that gives something else has another digest; one that cannot be used is left out."""
    own, given = digest(component), gives(component)
    for what, other in variants(component):
        try:
            same = gives(other) == given
            changed = digest(other)
        except SkinframeError:
            continue
        assert same or changed != own, f"with {what} it gives something else under the same digest"


def _others(hint: Any, value: Any) -> list[Any]:
    if typing.get_origin(hint) is Literal:
        return [each for each in typing.get_args(hint) if each != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    return [value * 0.5] if isinstance(value, float) else []
