"""The reasoner at work: image tokens and a prompt in, a state at the answer position and rationale scores out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from skinframe import BuildContext, PromptText
from skinframe.protocols import TokenRow
from skinframe.seeding import derive
from skinframe_qwen import _state
from skinframe_qwen._connector import Connector, pool_grid
from skinframe_qwen._generate import greedy
from skinframe_qwen._load import load_language_model
from skinframe_qwen._lora import add_lora
from skinframe_qwen._text import IM_END, IMAGE_PAD, ChatText
from skinframe_qwen.sizes import pooled_side

if TYPE_CHECKING:
    from skinframe_qwen.reasoner import Qwen25VL

SIGNALS = frozenset({"hidden", "rationale_logits"})


class QwenReasoner(nn.Module):
    """A `skinframe.protocols.ReasonerModule` over Qwen2.5-VL's language model."""

    base: Any  # transformers' class, whose annotations say less than it does

    def __init__(self, folder: Path, config: Qwen25VL.Config, needs: Sequence[str], context: BuildContext) -> None:
        super().__init__()
        self._config, self._needs, self._precision = config, tuple(needs), context.precision
        shapes = [context.shapes[name] for name in needs]
        device = torch.device(context.device)
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]):  # new layers draw from it
            self.base = load_language_model(folder, config.quantize, context.precision, context.device)
            add_lora(self.base, config.lora, derive(context.seed, "lora"))
            self.connector = None if config.vision == "native" else self._new_connector(shapes[0][-1], context)
        if config.gradient_checkpointing:
            self.base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        self._sides = self._grid_sides([shape[0] for shape in shapes])
        self._text = ChatText(folder, [side * side for side in self._sides])

    def _new_connector(self, V: int, context: BuildContext) -> Connector:
        table = self.base.get_input_embeddings().weight
        connector = Connector(V, table.shape[1], dropout=self._config.connector_dropout)
        connector.initialise(derive(context.seed, "connector"), scale=float(table.detach().float().std()))
        return connector.to(context.device)

    def _grid_sides(self, counts: Sequence[int]) -> list[int]:
        """Return the side of each image's token grid as the language model sees it; Qwen's own is never pooled."""
        pools = [None if self._config.vision == "native" else self._config.pool, None]
        return [pooled_side(P, pool) for P, pool in zip(counts, pools, strict=False)]

    @property
    def device(self) -> torch.device:
        device: torch.device = self.base.device
        return device

    def tokenize(self, prompt: PromptText, target: str | None) -> TokenRow:
        return self._text.row(prompt, target)

    def collate(self, rows: Sequence[TokenRow]) -> dict[str, Tensor]:
        """Pad on the right. The token at `rationale_at` predicts the one after it, from the answer position on."""
        width = max(row.length for row in rows)
        ids = torch.full((len(rows), width), self._text.control[IM_END])
        mask = torch.zeros(len(rows), width, dtype=torch.long)
        for b, row in enumerate(rows):
            ids[b, : row.length] = torch.tensor(row.prompt + row.target)
            mask[b, : row.length] = 1
        at = [(b, len(row.prompt) - 1 + t) for b, row in enumerate(rows) for t in range(len(row.target))]
        batch = {
            "token_ids": ids,
            "token_mask": mask,
            "answer_at": torch.tensor([len(row.prompt) - 1 for row in rows]),
            "rationale_at": torch.tensor(at, dtype=torch.long).view(-1, 2),
            "rationale_targets": torch.tensor([token for row in rows for token in row.target], dtype=torch.long),
        }
        return {name: tensor.to(self.device) for name, tensor in batch.items()}

    def forward(self, batch: Mapping[str, Tensor], want: frozenset[str]) -> dict[str, Tensor]:
        """Return `hidden` [B, H] and `rationale_logits` [T, L], float32, whichever are wanted.

        Where no rationale is wanted, nothing after the last answer position is computed. Raises ValueError on an
        unknown signal or where image tokens and placeholders do not agree.
        """
        if want - SIGNALS:
            raise ValueError(f"the reasoner does not give {', '.join(sorted(want - SIGNALS))}")
        width = batch["token_ids"].shape[1] if "rationale_logits" in want else int(batch["answer_at"].max()) + 1
        ids, mask = batch["token_ids"][:, :width], batch["token_mask"][:, :width]
        found = {}
        with self.autocast():
            positions = self.positions(ids, mask)
            states = self.states(
                inputs_embeds=self.embed(ids, batch), attention_mask=self._hide(ids, mask), position_ids=positions
            )
            if "hidden" in want:
                rows = torch.arange(len(states), device=states.device)
                found["hidden"] = states[rows, batch["answer_at"]].float()
            if "rationale_logits" in want:
                row, position = batch["rationale_at"].unbind(-1)
                found["rationale_logits"] = self.base.lm_head(states[row, position]).float()
        return found

    def autocast(self) -> AbstractContextManager[Any]:
        """Compute in bf16 over float32 adapters and connector where the run's precision says so."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self._precision == "bf16")

    def states(self, **inputs: Any) -> Tensor:
        """Return the language model's states after its last norm [B, S, H]."""
        states: Tensor = self.base.model.language_model(use_cache=False, **inputs).last_hidden_state
        return states

    def embed(self, ids: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Return input embeddings [B, S, H] with the image tokens where their placeholders stand."""
        embeds: Tensor = self.base.get_input_embeddings()(ids)
        images = torch.cat([self._image(name, batch[name], embeds.dtype) for name in self._needs], dim=1)
        at = ids == self._text.control[IMAGE_PAD]
        if not bool((at.sum(dim=1) == images.shape[1]).all()):
            raise ValueError(f"the prompt's placeholders and the {images.shape[1]} image tokens do not agree")
        return embeds.masked_scatter(at.unsqueeze(-1), images)

    def _image(self, name: str, tokens: Tensor, dtype: torch.dtype) -> Tensor:
        """Qwen's own tokens already live in its embedding space; any other encoder's go through the connector."""
        tokens = tokens.to(self.device)
        if self.connector is not None and name == self._needs[0]:
            connected: Tensor = self.connector(pool_grid(tokens.float(), self._config.pool))
            return connected.to(dtype)
        return tokens.to(dtype)

    def positions(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the three-axis rotary positions [3, B, S], by the model's own rule over each image's token grid."""
        kinds = (ids == self._text.control[IMAGE_PAD]).int()
        merge = self.base.config.vision_config.spatial_merge_size  # the rule divides by it
        grid = torch.tensor([[1, side * merge, side * merge] for side in self._sides] * len(ids), device=ids.device)
        found: Tensor = self.base.model.get_rope_index(
            ids, mm_token_type_ids=kinds, image_grid_thw=grid, attention_mask=mask
        )[0]
        return found

    def _hide(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Hide a random share of image tokens from attention in training."""
        share = self._config.token_dropout
        if not self.training or share == 0:
            return mask
        hidden = (torch.rand(ids.shape, device=ids.device) < share) & (ids == self._text.control[IMAGE_PAD])
        return mask.masked_fill(hidden, 0)

    def generate(self, batch: Mapping[str, Tensor], max_new_tokens: int) -> list[str]:
        tokens = greedy(self, batch, max_new_tokens, stop=self._text.control[IM_END])
        return [self._text.read(row) for row in tokens]

    def label_rows(self, words: Sequence[str]) -> Tensor:
        """Return [C, H] float32. Raises ValueError naming the words that start with the same token."""
        first = [self._text.plain(word)[0] for word in words]
        clashes = [word for word, token in zip(words, first, strict=True) if first.count(token) > 1]
        if clashes:
            raise ValueError(f"label words start with the same token: {', '.join(map(repr, clashes))}")
        rows: Tensor = self.base.lm_head.weight.detach()[first].float()
        return rows

    def trained_state(self) -> dict[str, Tensor]:
        return _state.read(self.base, self.connector)

    def load_trained_state(self, state: Mapping[str, Tensor]) -> None:
        _state.write(self.base, self.connector, state)
