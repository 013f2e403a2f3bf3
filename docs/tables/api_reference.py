"""The public Python names with their signatures and docstrings."""

from __future__ import annotations

import inspect
import re

import skinframe


def api_reference() -> str:
    """Every public name of `skinframe`: functions first, then base classes of components, values and errors."""
    names = [name for name in skinframe.__all__ if name != "__version__"]
    objects = {name: getattr(skinframe, name) for name in names}
    functions = {name: made for name, made in objects.items() if not inspect.isclass(made)}
    errors = {n: made for n, made in objects.items() if inspect.isclass(made) and issubclass(made, BaseException)}
    bases = {n: made for n, made in objects.items() if n not in functions and n not in errors}
    parts = ["## Functions", *(_function(name, made) for name, made in functions.items())]
    parts += ["## Classes", *(_class(name, made) for name, made in bases.items())]
    parts += ["## Errors", "Each is a `SkinframeError`, prints as one message, and has the exit code of its command."]
    parts += [_class(name, made) for name, made in errors.items()]
    return "\n\n".join(parts)


def _function(name: str, made: object) -> str:
    text = re.sub(r"Annotated\[(.+?), Option\(.*?\)\]", r"\1", str(_parameters(made)))
    return f"### skinframe.{name}\n\n`{name}({text})`\n\n{_docs(made)}"


def _parameters(made: object) -> str:
    """Return the names of the parameters with their defaults; types are in `--help` and in an editor."""
    shown = []
    star = False
    for parameter in inspect.signature(made).parameters.values():  # type: ignore[arg-type]
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            shown.append("*")
            star = True
        star = star or parameter.kind is parameter.VAR_POSITIONAL
        prefix = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        shown.append(f"{prefix}{parameter.name}{default}")
    return ", ".join(shown)


def _class(name: str, made: type) -> str:
    methods = [
        (own, value)
        for own, value in vars(made).items()
        if not own.startswith("_") and inspect.isfunction(value) and inspect.getdoc(value)
    ]
    lines = [f"- `{own}({_parameters(value)})`: {_docs(value)}" for own, value in methods]
    return "\n\n".join([f"### skinframe.{name}", _docs(made), *(["\n".join(lines)] if lines else [])])


def _docs(made: object) -> str:
    """Return a docstring as one paragraph each; what Markdown would read as a link or HTML is escaped."""
    text = inspect.getdoc(made) or ""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return "\n\n".join(re.sub(r"([\[\]<>*_])(?![^`]*`(?:[^`]*`[^`]*`)*[^`]*$)", r"\\\1", part) for part in paragraphs)
