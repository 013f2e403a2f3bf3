"""The interface of the module that a reasoner builds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from skinframe.components import PromptText

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Segment:
    """A named stretch of a token row. The tokens of a segment after the first are predicted, each from those before."""

    name: str
    ids: tuple[int, ...]


@dataclass(frozen=True)
class TokenRow:
    """One tokenised sample as ordered segments: the prompt, image placeholders expanded, then what is predicted.

    The class is read at the last token before the segment `answer`, or at the last prompt token where there is none: it
    then never depends on generated text.
    """

    segments: tuple[Segment, ...]

    @classmethod
    def of(cls, prompt: Sequence[int], target: Sequence[int] = ()) -> TokenRow:
        """Return a prompt followed by a target rationale, which may be empty."""
        rationale = (Segment("rationale", tuple(target)),) if target else ()
        return cls((Segment("prompt", tuple(prompt)), *rationale))

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(token for segment in self.segments for token in segment.ids)

    @property
    def length(self) -> int:
        return sum(len(segment.ids) for segment in self.segments)

    @property
    def prompt(self) -> tuple[int, ...]:
        return self.segment("prompt")

    @property
    def target(self) -> tuple[int, ...]:
        return self.segment("rationale")

    def segment(self, name: str) -> tuple[int, ...]:
        """Return the tokens of a segment; none where the row has no such segment."""
        return next((segment.ids for segment in self.segments if segment.name == name), ())

    def starts(self) -> dict[str, int]:
        """Return the position at which each segment starts."""
        found, at = {}, 0
        for segment in self.segments:
            found[segment.name] = at
            at += len(segment.ids)
        return found

    @property
    def answer_at(self) -> int:
        """The position whose state the class is read from."""
        starts = self.starts()
        return starts.get("answer", len(self.prompt)) - 1

    def without(self, *names: str) -> TokenRow:
        """Return the row without some segments."""
        return TokenRow(tuple(segment for segment in self.segments if segment.name not in names))


class ReasonerModule(Protocol):
    """An `nn.Module` with these methods. Tensors it takes and gives live on its own device."""

    pad_id: int  # the token that fills a row to the width of its batch

    def tokenize(self, prompt: PromptText, target: str | None) -> TokenRow:
        """Return token ids; deterministic, and control tokens inside the texts are neutralised."""

    def forward(self, batch: Mapping[str, Tensor], want: frozenset[str]) -> dict[str, Tensor]:
        """Return the wanted signals among `hidden` [B, H] and `rationale_logits` [T, L].

        `batch` holds the layout of the token rows (`skinframe.data.token_padding.lay_out`) and the encoders' signals
        under their full names (`clip.image_tokens`).
        """

    def generate(self, batch: Mapping[str, Tensor], max_new_tokens: int) -> list[str]:
        """Return one greedy continuation a row, without special tokens."""

    def label_rows(self, words: Sequence[str]) -> Tensor:
        """Return the language-model-head rows [C, H] of each word's first token. Raises ValueError if two coincide."""

    def trained_state(self) -> dict[str, Tensor]:
        """Return what a checkpoint must hold: adapters and connector, never the frozen base."""

    def load_trained_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back `trained_state`. Raises ValueError naming missing or unexpected keys."""
