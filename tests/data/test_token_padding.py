"""Token rows: ordered segments, where each is predicted, and where the class is read."""

from __future__ import annotations

import torch

from skinframe.data.token_padding import lay_out
from skinframe.reasoner_module import Segment, TokenRow

SHORT, LONG = TokenRow.of([5, 6, 7], [8, 9]), TokenRow.of([1, 2, 3, 4], [5])
BARE = TokenRow.of([4, 4])


def test_rows_are_padded_on_the_right() -> None:
    batch = lay_out([SHORT, BARE], pad_id=99)
    assert batch["token_ids"].tolist() == [[5, 6, 7, 8, 9], [4, 4, 99, 99, 99]]
    assert batch["token_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]


def test_the_class_is_read_at_the_last_prompt_token_whatever_follows() -> None:
    for rows in ([SHORT, LONG, BARE], [row.without("rationale") for row in (SHORT, LONG, BARE)]):
        assert lay_out(rows, 0)["answer_at"].tolist() == [2, 3, 1]


def test_each_rationale_token_is_predicted_from_the_one_before_it() -> None:
    batch = lay_out([SHORT, BARE, LONG], 0)
    assert batch["rationale_at"].tolist() == [[0, 2], [0, 3], [2, 3]]
    assert batch["rationale_targets"].tolist() == [8, 9, 5]
    for (row, at), target in zip(batch["rationale_at"].tolist(), batch["rationale_targets"].tolist(), strict=True):
        assert batch["token_ids"][row, at + 1] == target


def test_without_any_rationale_there_is_nothing_to_predict() -> None:
    batch = lay_out([BARE], 0)
    assert batch["rationale_at"].shape == (0, 2)
    assert batch["rationale_targets"].dtype == torch.int64
    assert "answer_at" in batch
    assert "answer_targets" not in batch


def test_an_answer_after_the_rationale_is_read_behind_it() -> None:
    """Its tokens are targets of their own, and the class is read at the token before them."""
    row = TokenRow((Segment("prompt", (1, 2)), Segment("rationale", (3, 4, 5)), Segment("answer", (6,))))
    batch = lay_out([row], 0)
    assert batch["answer_targets"].tolist() == [6]
    assert batch["rationale_at"].tolist() == [[0, 1], [0, 2], [0, 3]]
    assert row.answer_at == 4
    assert row.without("answer").answer_at == 1
    assert row.starts() == {"prompt": 0, "rationale": 2, "answer": 5}
