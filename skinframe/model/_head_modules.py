"""The torch modules of the heads. Imported only when a head is built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skinframe.components import BuildContext


class LinearModule(nn.Module):
    """LayerNorm, dropout, then one linear layer (or a small MLP) from signal `reads` to signal `gives`."""

    def __init__(self, width: int, hidden: int, classes: int, dropout: float, reads: str, gives: str) -> None:
        super().__init__()
        self.reads, self.gives = reads, gives
        layers: list[nn.Module] = [nn.LayerNorm(width), nn.Dropout(dropout)]
        if hidden:
            layers += [nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden or width, classes))

    def forward(self, signals: dict[str, Tensor]) -> dict[str, Tensor]:
        return {self.gives: self.layers(signals[self.reads].float())}


class FusedModule(nn.Module):
    """The sum of linear layers on the state, the pooled feature and optionally the metadata."""

    def __init__(
        self, widths: tuple[int, int], metadata_width: int | None, classes: int, dropout: float, state_dropout: float
    ) -> None:
        super().__init__()
        hidden, image = widths
        self.state = LinearModule(hidden, 0, classes, dropout, "hidden", "logits")
        self.image = LinearModule(image, 0, classes, dropout, "image_embedding", "logits")
        self.told = None if metadata_width is None else nn.Linear(metadata_width, classes, bias=False)
        if self.told is not None:
            # from zero, so that an input that training never shows, as a 'not recorded', means nothing and not a draw
            nn.init.zeros_(self.told.weight)
        self._share = state_dropout

    def forward(self, signals: dict[str, Tensor]) -> dict[str, Tensor]:
        state = self.state(signals)["logits"]
        if self.training and self._share:
            state = state * (torch.rand(len(state), 1, device=state.device) >= self._share)
        else:
            state = state * (1 - self._share)
        logits = state + self.image(signals)["logits"]
        return {"logits": logits if self.told is None else logits + self.told(signals["metadata"])}


class ProjectionModule(nn.Module):
    """A, B and (for reasoner queries) Q, the learned log scale t with exp(t) <= 100, and optionally an offset."""

    def __init__(self, widths: tuple[int, int, int | None], width: int, scale: float, bias: bool) -> None:
        super().__init__()
        image, text, hidden = widths
        self.image = nn.Linear(image, width, bias=False)
        self.text = nn.Linear(text, width, bias=False)
        self.query = nn.Linear(hidden, width, bias=False) if hidden is not None else None
        self.log_scale = nn.Parameter(torch.tensor(scale).log())
        self.bias = nn.Parameter(torch.zeros(())) if bias else None

    def forward(self, signals: dict[str, Tensor]) -> dict[str, Tensor]:
        regions = F.normalize(self.image(signals["image_tokens"].float()), dim=-1)
        texts = F.normalize(self.text(signals["text_embedding"].float()), dim=-1)
        queries = texts if self.query is None else F.normalize(self.query(signals["hidden"].float()), dim=-1)
        scale = self.log_scale.exp().clamp(max=100.0)
        given = {"regions": regions, "text_vectors": texts, "queries": queries, "logit_scale": scale}
        return given if self.bias is None else {**given, "logit_bias": self.bias}


class VerbalizerModule(nn.Module):
    """Rows of the frozen language-model head, one a class, plus a trained bias."""

    rows: Tensor

    def __init__(self, context: BuildContext, words: Sequence[str], width: int) -> None:
        super().__init__()
        if len(words) != len(context.classes):
            raise ValueError(f"words must name {len(context.classes)} classes, got {len(words)}")
        reasoner: Any = context.reasoner
        rows = torch.zeros(len(words), width) if reasoner is None else reasoner.label_rows(words).detach().float()
        self.register_buffer("rows", rows, persistent=False)
        self.bias = nn.Parameter(torch.zeros(len(words)))

    def forward(self, signals: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"logits": F.linear(signals["hidden"].float(), self.rows, self.bias)}
