"""Small trained heads: their options, inputs and outputs. `_head_modules.py` has the torch modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from skinframe.components import BuildContext, Head

if TYPE_CHECKING:
    from torch import nn


class Linear(Head):
    """Class logits from the reasoner's last hidden state: z = W LayerNorm(h) + b."""

    name = "linear"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        dropout: float = 0.0
        width: int = 0  # 0: linear; otherwise one hidden layer of this width

        def __post_init__(self) -> None:
            if not 0 <= self.dropout < 1:
                raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")

    def needs(self) -> tuple[str, ...]:
        return ("hidden",)

    def provides(self) -> tuple[str, ...]:
        return ("logits",)

    def build(self, context: BuildContext) -> nn.Module:
        from skinframe.model._head_modules import LinearModule

        shape = context.shapes["hidden"]
        return LinearModule(shape[-1], self.config.width, len(context.classes), self.config.dropout, "hidden", "logits")


class AttributesHead(Head):
    """One score a checklist attribute from the reasoner's last hidden state: z = W LayerNorm(h) + b, for a sigmoid."""

    name = "attributes"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        dropout: float = 0.0

        def __post_init__(self) -> None:
            if not 0 <= self.dropout < 1:
                raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")

    def needs(self) -> tuple[str, ...]:
        return ("hidden",)

    def provides(self) -> tuple[str, ...]:
        return ("attribute_logits",)

    def build(self, context: BuildContext) -> nn.Module:
        from skinframe.model._head_modules import LinearModule

        if not context.attributes:
            raise ValueError("the data states no attributes to score; leave this head out, or use data that does")
        width, count = context.shapes["hidden"][-1], len(context.attributes)
        return LinearModule(width, 0, count, self.config.dropout, "hidden", "attribute_logits")


class Fused(Head):
    """Class logits from the reasoner's state and the encoder's pooled feature e: z = W norm(h) + U norm(e) + V m + b.

    For a reasoner so narrow that its state cannot hold what the encoder sees. A heat map over image tokens explains
    the first path only.
    """

    name = "fused"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        dropout: float = 0.0
        metadata: bool = False  # also read m, the typed metadata as numbers
        state_dropout: float = 0.0  # share of training samples judged without W norm(h), which then weighs 1 minus it

        def __post_init__(self) -> None:
            for name in ("dropout", "state_dropout"):
                if not 0 <= getattr(self, name) < 1:
                    raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)}")

    def needs(self) -> tuple[str, ...]:
        return ("hidden", "image_embedding", *(("metadata",) if self.config.metadata else ()))

    def provides(self) -> tuple[str, ...]:
        return ("logits",)

    def build(self, context: BuildContext) -> nn.Module:
        from skinframe.model._head_modules import FusedModule

        widths = (context.shapes["hidden"][-1], context.shapes["image_embedding"][-1])
        metadata_width = context.shapes["metadata"][-1] if self.config.metadata else None
        if metadata_width == 0:
            raise ValueError("the data has no metadata fields to read; leave `metadata` out, or use data that has")
        return FusedModule(widths, metadata_width, len(context.classes), self.config.dropout, self.config.state_dropout)


class PooledLinear(Head):
    """Class logits from the encoder's pooled feature alone: the image branch, or a probe baseline."""

    name = "pooled_linear"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        gives: Literal["image_logits", "logits"] = "image_logits"
        dropout: float = 0.0

    def needs(self) -> tuple[str, ...]:
        return ("image_embedding",)

    def provides(self) -> tuple[str, ...]:
        return (self.config.gives,)

    def build(self, context: BuildContext) -> nn.Module:
        from skinframe.model._head_modules import LinearModule

        width = context.shapes["image_embedding"][-1]
        classes = len(context.classes)
        return LinearModule(width, 0, classes, self.config.dropout, "image_embedding", self.config.gives)


class Projection(Head):
    """The shared space of region alignment: v_ir = norm(A V_ir), t_j = norm(B T_j), q = t_j or norm(Q h_i).

    With `query: text` only A and B learn from the term; with `query: reasoner` it also trains the reasoner's state.
    """

    name = "projection"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        width: int = 256
        query: Literal["text", "reasoner"] = "reasoner"
        scale: float = 14.0  # exp(t) at the start, learned, clamped at 100
        bias: bool = False  # also give `logit_bias`, learned from 0, for losses of pairs such as siglip

        def __post_init__(self) -> None:
            if self.width < 1 or not 0 < self.scale <= 100:
                raise ValueError("width must be positive and scale in (0, 100]")

    def needs(self) -> tuple[str, ...]:
        base = ("image_tokens", "text_embedding")
        return (*base, "hidden") if self.config.query == "reasoner" else base

    def provides(self) -> tuple[str, ...]:
        base = ("regions", "text_vectors", "queries", "logit_scale")
        return (*base, "logit_bias") if self.config.bias else base

    def build(self, context: BuildContext) -> nn.Module:
        from skinframe.model._head_modules import ProjectionModule

        shapes = context.shapes
        hidden = shapes["hidden"][-1] if self.config.query == "reasoner" else None
        widths = (shapes["image_tokens"][-1], shapes["text_embedding"][-1], hidden)
        return ProjectionModule(widths, self.config.width, self.config.scale, self.config.bias)


class Verbalizer(Head):
    """Class logits from the language model's own head at the first token of each class name.

    A softmax over these C tokens, which is not the softmax over the vocabulary. Trains one bias a class.
    """

    name = "verbalizer"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        words: tuple[str, ...] = ()  # one a class, distinct first tokens; empty: what the prompt calls the classes

    def needs(self) -> tuple[str, ...]:
        return ("hidden",)

    def provides(self) -> tuple[str, ...]:
        return ("logits",)

    def build(self, context: BuildContext) -> nn.Module:
        from skinframe.model._head_modules import VerbalizerModule

        words = self.config.words or context.class_words or context.classes
        return VerbalizerModule(context, words, context.shapes["hidden"][-1])
