"""Greedy decoding over a batch with a key-value cache; deterministic."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from skinframe_vlm.model_family import Family


@torch.no_grad()
def greedy(
    model: Any, family: Family, inputs: dict[str, Any], present: Tensor, answer_at: Tensor, *, limit: int, stop: int
) -> list[list[int]]:
    """Return each row's most likely continuation, up to `stop` (left out) or `limit` tokens.

    `inputs` are the language model's arguments for the prompts, `present` [B, S] says which of their tokens exist, and
    `answer_at` [B] is the last token of each prompt.
    """
    language = model.get_submodule(family.language)
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    rows = torch.arange(len(answer_at), device=answer_at.device)
    cache = DynamicCache(config=language.config)
    state = {**inputs, "position_ids": inputs["position_ids"][..., rows, answer_at].unsqueeze(-1)}
    done = torch.zeros(len(answer_at), dtype=torch.bool, device=answer_at.device)
    last, chosen = answer_at, []
    for _ in range(limit):
        states = language(**inputs, past_key_values=cache, use_cache=True).last_hidden_state
        token = head(states[rows, last]).float().argmax(dim=-1).masked_fill(done, stop)
        chosen.append(token)
        done = done | (token == stop)
        if bool(done.all()):
            break
        present = torch.cat([present, torch.ones_like(present[:, :1])], dim=1)
        state = family.advance(state)
        inputs = {"inputs_embeds": embedding(token.unsqueeze(1)), "attention_mask": present, **state}
        last = torch.zeros_like(answer_at)
    tokens = torch.stack(chosen, dim=1).tolist() if chosen else [[] for _ in rows]
    return [row[: row.index(stop)] if stop in row else row for row in tokens]
