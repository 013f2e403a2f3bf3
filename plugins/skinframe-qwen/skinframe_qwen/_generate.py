"""Greedy decoding over a batch with a key-value cache; deterministic, in evaluation mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from transformers import DynamicCache

if TYPE_CHECKING:
    from skinframe_qwen._module import QwenReasoner


@torch.no_grad()
def greedy(module: QwenReasoner, batch: Mapping[str, Tensor], limit: int, *, stop: int) -> list[list[int]]:
    """Return each row's most likely continuation, up to `stop` (left out) or `limit` tokens.

    Only the prompt is read: a target that may follow it in `batch` is hidden.
    """
    was_training = module.training
    module.eval()
    try:
        with module.autocast():
            tokens = _decode(module, batch, limit, stop)
    finally:
        module.train(was_training)
    rows = [row.tolist() for row in tokens]
    return [row[: row.index(stop)] if stop in row else row for row in rows]


def _decode(module: QwenReasoner, batch: Mapping[str, Tensor], limit: int, stop: int) -> Tensor:
    answer = batch["answer_at"]
    width = int(answer.max()) + 1
    ids = batch["token_ids"][:, :width]
    mask = (torch.arange(width, device=ids.device) <= answer.unsqueeze(1)).long()
    positions = module.positions(ids, mask)
    rows = torch.arange(len(ids), device=ids.device)
    language = module.base.model.language_model
    cache = DynamicCache(config=language.config)
    inputs = {"inputs_embeds": module.embed(ids, batch), "position_ids": positions}
    last, position = answer, positions[:, rows, answer].amax(dim=0)
    found: list[Tensor] = []
    done = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    for _ in range(limit):
        states = language(**inputs, attention_mask=mask, past_key_values=cache, use_cache=True).last_hidden_state
        token = module.base.lm_head(states[rows, last]).float().argmax(dim=-1).masked_fill(done, stop)
        found.append(token)
        done = done | (token == stop)
        if bool(done.all()):
            break
        position = position + 1
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
        embeds = module.base.get_input_embeddings()(token.unsqueeze(1))
        inputs = {"inputs_embeds": embeds, "position_ids": position.view(1, -1, 1).expand(3, -1, -1)}
        last = torch.zeros_like(answer)
    return torch.stack(found, dim=1) if found else ids[:, :0]
