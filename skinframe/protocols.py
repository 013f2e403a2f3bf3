"""What the engine asks of the module that a reasoner builds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from skinframe.components import PromptText

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class TokenRow:
    """One tokenised sample: the prompt with its image placeholders expanded, then the rationale (may be empty).

    The answer position, where the class is read, is the last prompt token: the class never depends on generated text.
    """

    prompt: tuple[int, ...]
    target: tuple[int, ...] = ()

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.target)


class ReasonerModule(Protocol):
    """An `nn.Module` with these methods. Tensors it takes and gives live on its own device."""

    def tokenize(self, prompt: PromptText, target: str | None) -> TokenRow:
        """Return token ids; deterministic, and control tokens inside the texts are neutralised."""

    def collate(self, rows: Sequence[TokenRow]) -> dict[str, Tensor]:
        """Return the padded batch: `token_ids` [B, S], `token_mask` [B, S], `answer_at` [B] and, flattened over the
        batch in row order, `rationale_at` [T, 2] (row, position that predicts) and `rationale_targets` [T]."""

    def forward(self, batch: Mapping[str, Tensor], want: frozenset[str]) -> dict[str, Tensor]:
        """Return the wanted signals among `hidden` [B, H] and `rationale_logits` [T, L].

        `batch` holds what `collate` gave and the encoders' signals under their full names (`clip.image_tokens`).
        """

    def generate(self, batch: Mapping[str, Tensor], max_new_tokens: int) -> list[str]:
        """Return one greedy continuation a row, without special tokens."""

    def label_rows(self, words: Sequence[str]) -> Tensor:
        """Return the language-model-head rows [C, H] of each word's first token. Raises ValueError if two coincide."""

    def trained_state(self) -> dict[str, Tensor]:
        """Return what a checkpoint must hold: adapters and connector, never the frozen base."""

    def load_trained_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back `trained_state`. Raises ValueError naming missing or unexpected keys."""
