"""Batches of named signals."""

from __future__ import annotations

import torch

from skinframe.data.feed import Feed, attribute_table


def test_a_batch_says_which_samples_it_holds() -> None:
    """`sample_ids` are rows of the manifest, so that a loss can keep a history of each sample over the epochs."""
    feed = Feed(
        ids=["a", "b", "c"],
        labels=torch.tensor([0, 1, 0]),
        class_counts=torch.tensor([2, 1]),
        attributes=attribute_table([()] * 3, 0),
        text_ids=torch.tensor([0, 0, 1]),
    )
    batch = feed.batch([2, 0], [0, 0], targets=True)
    assert batch["batch.sample_ids"].tolist() == [2, 0]
    assert batch["batch.text_ids"].tolist() == [1, 0]
    assert batch["batch.sample_ids"].dtype == torch.int64
