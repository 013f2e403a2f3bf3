"""Token rows to one padded batch, with the positions at which things are read."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from skinframe.reasoner_module import TokenRow


def lay_out(rows: Sequence[TokenRow], pad_id: int) -> dict[str, Tensor]:
    """Pad rows on the right and say where their segments are predicted and their class is read.

    Returns `token_ids` and `token_mask` [B, S], `answer_at` [B] (where the class is read) and, flattened over the batch
    in row order, `rationale_at` [T, 2] (row, position of the token that predicts) and `rationale_targets` [T]. Where
    rows have an answer of their own behind the rationale, its tokens are `answer_targets`, predicted at `answer_from`.
    """
    width = max(row.length for row in rows)
    ids = torch.full((len(rows), width), pad_id)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for b, row in enumerate(rows):
        ids[b, : row.length] = torch.tensor(row.ids)
        mask[b, : row.length] = 1
    batch = {"token_ids": ids, "token_mask": mask, "answer_at": torch.tensor([row.answer_at for row in rows])}
    for name in ("rationale", "answer"):
        if name == "answer" and not any(row.segment(name) for row in rows):
            continue
        places = [(b, row.starts()[name] - 1 + t) for b, row in enumerate(rows) for t in range(len(row.segment(name)))]
        targets = [token for row in rows for token in row.segment(name)]
        where = "rationale_at" if name == "rationale" else "answer_from"
        batch[where] = torch.tensor(places, dtype=torch.long).view(-1, 2)
        batch[f"{name}_targets"] = torch.tensor(targets, dtype=torch.long)
    return batch
