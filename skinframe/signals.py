"""Signals: the named tensors that flow between components, and how a function declares those it needs.

A loss names its inputs in its signature, `forward(self, logits: Logits, labels: Labels)`. Each alias below is an
`Annotated` tensor, so the plan can wire it and the contract kit can generate it. A plugin makes its own in one line:
`Weights = Annotated[Tensor, Signal("weights", "B", "one weight a sample")]`.

Dims: B samples, C classes, A attributes, P image patches, V width of a patch, D width of an embedding,
H width of the reasoner, M columns of metadata, W width of the shared projection, S text tokens, T target tokens,
L vocabulary.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

if TYPE_CHECKING:
    from torch import Tensor
else:
    Tensor = Any  # the annotation is read at run time, and reading it must not import torch


@dataclass(frozen=True)
class Signal:
    """A tensor's name in the recipe, its dims as space-separated letters, its element kind and its meaning."""

    name: str
    dims: str
    doc: str
    kind: str = "float"


@dataclass(frozen=True)
class Output:
    """How a tensor that a component provides is laid out: what gathering, collation, counting and the cache read.

    `dims` are space-separated letters, as in `Signal`; None where they are not declared, and what reads it says them.
    `ragged` are the letters whose size differs from batch to batch; `fill` pads them to one size.
    """

    dims: str | None = None
    dtype: Literal["float", "int"] = "float"
    batch_axis: Literal["B", "T"] | None = "B"  # what the first dim counts; None: one tensor for the whole step
    ragged: tuple[str, ...] = ()
    fill: float = 0.0


@dataclass(frozen=True)
class Need:
    """One parameter of a function that is fed by a signal; optional when the parameter has a default."""

    parameter: str
    signal: Signal
    optional: bool


Labels = Annotated[Tensor, Signal("labels", "B", "true class of each sample", "int")]
ClassCounts = Annotated[Tensor, Signal("class_counts", "C", "training samples of each class", "int")]
Attributes = Annotated[Tensor, Signal("attributes", "B A", "checklist attributes, 1 present, 0 absent, NaN unknown")]
AttributeLogits = Annotated[Tensor, Signal("attribute_logits", "B A", "scores of the attributes before the sigmoid")]
TextIds = Annotated[Tensor, Signal("text_ids", "B", "equal where two samples carry the same description", "int")]
SampleIds = Annotated[Tensor, Signal("sample_ids", "B", "row of the sample in the manifest, in every epoch", "int")]
SiteIds = Annotated[Tensor, Signal("site_ids", "B", "equal where two samples show the same body site", "int")]
Metadata = Annotated[Tensor, Signal("metadata", "B M", "typed metadata as numbers, as the linear probe reads it")]
LesionCover = Annotated[Tensor, Signal("lesion_cover", "B P", "part of each patch that the lesion fills, NaN unknown")]
ImageTokens = Annotated[Tensor, Signal("image_tokens", "B P V", "patch tokens of a frozen encoder")]
ImageEmbedding = Annotated[Tensor, Signal("image_embedding", "B D", "pooled image feature of a frozen encoder")]
TextEmbedding = Annotated[Tensor, Signal("text_embedding", "B D", "frozen embedding of the clinical description")]
Hidden = Annotated[Tensor, Signal("hidden", "B H", "last hidden state at the answer position")]
Logits = Annotated[Tensor, Signal("logits", "B C", "class scores before the softmax")]
ImageLogits = Annotated[Tensor, Signal("image_logits", "B C", "class scores of the image branch alone")]
Regions = Annotated[Tensor, Signal("regions", "B P W", "projected patch tokens, unit length")]
TextVectors = Annotated[Tensor, Signal("text_vectors", "B W", "projected descriptions, unit length")]
TextTokens = Annotated[Tensor, Signal("text_tokens", "B S W", "projected tokens of the description, unit length")]
TextTokenMask = Annotated[Tensor, Signal("text_token_mask", "B S", "above 0 where a text token is no padding", "int")]
Queries = Annotated[Tensor, Signal("queries", "B W", "what attends over the regions, unit length")]
LogitScale = Annotated[Tensor, Signal("logit_scale", "", "learned inverse temperature, exp(t) clamped at 100")]
LogitBias = Annotated[Tensor, Signal("logit_bias", "", "learned offset of the scores of pairs")]
RationaleLogits = Annotated[Tensor, Signal("rationale_logits", "T L", "token scores where the rationale is read")]
RationaleTargets = Annotated[Tensor, Signal("rationale_targets", "T", "token that stands there", "int")]


def signal_of(annotation: Any) -> Signal | None:
    """Return the Signal inside an `Annotated` type, or None where there is none."""
    if get_origin(annotation) is not Annotated:
        return None
    return next((extra for extra in get_args(annotation)[1:] if isinstance(extra, Signal)), None)


STANDARD: Mapping[str, Signal] = {
    signal.name: signal for signal in map(signal_of, tuple(vars(sys.modules[__name__]).values())) if signal is not None
}
RAGGED = ("S", "T")  # dims that count tokens
MASKED = -100  # fills integer signals, as it masks labels


def output_of(signal: Signal) -> Output:
    """Return the layout of a signal, from its dims and its element kind."""
    letters = signal.dims.split()
    kind: Literal["float", "int"] = "int" if signal.kind == "int" else "float"
    axis: Literal["B", "T"] | None = "B" if letters[:1] == ["B"] else "T" if letters[:1] == ["T"] else None
    ragged = tuple(letter for letter in letters[1:] if letter in RAGGED)
    return Output(signal.dims, kind, axis, ragged, MASKED if kind == "int" else 0.0)


def standard_output(name: str) -> Output:
    """Return the layout of a signal by its name; for a name that is not standard, floats by sample without dims."""
    return output_of(STANDARD[name]) if name in STANDARD else Output()


def needs(function: Callable[..., Any]) -> tuple[Need, ...]:
    """Return what a function needs, from its parameter annotations.

    Raises TypeError where a parameter (other than self) carries no signal: nothing could ever feed it.
    """
    found = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        signal = signal_of(_evaluate(parameter.annotation, function))
        if signal is None:
            raise TypeError(
                f"parameter '{parameter.name}' of {function.__qualname__} has no signal annotation;"
                " annotate it, for example `logits: Logits`"
            )
        found.append(Need(parameter.name, signal, parameter.default is not inspect.Parameter.empty))
    return tuple(found)


def _evaluate(annotation: Any, function: Callable[..., Any]) -> Any:
    """Evaluate a string annotation where the function was defined; `X | None` counts as X."""
    if isinstance(annotation, str):
        scope = vars(sys.modules[function.__module__])
        text = annotation.removesuffix(" | None")
        try:
            return eval(text, dict(scope))  # the module's own source text, never a recipe's
        except NameError:
            return None
    if get_origin(annotation) is not Annotated:
        inner = [part for part in get_args(annotation) if get_origin(part) is Annotated]
        return inner[0] if inner else annotation
    return annotation
