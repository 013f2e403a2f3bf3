"""The mark that makes a function a hook; pluggy finds it by the mark, and a plugin needs no pluggy to set it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, overload

F = TypeVar("F", bound=Callable[..., object])
MARK = "skinframe_impl"  # the attribute that pluggy reads: the project's name and "_impl"


@overload
def hookimpl(function: F) -> F: ...
@overload
def hookimpl(*, optionalhook: bool = False) -> Callable[[F], F]: ...
def hookimpl(function: F | None = None, *, optionalhook: bool = False) -> F | Callable[[F], F]:
    """Mark a function as an implementation of the hook of its name.

    `optionalhook=True` lets a plugin name a hook that this version of skinframe may not have.
    """

    def mark(marked: F) -> F:
        options = {"wrapper": False, "hookwrapper": False, "tryfirst": False, "trylast": False, "specname": None}
        setattr(marked, MARK, {**options, "optionalhook": optionalhook})
        return marked

    return mark if function is None else mark(function)
