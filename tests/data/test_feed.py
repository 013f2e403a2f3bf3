"""Batches of named signals: what is wanted, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from skinframe.components import Column, ColumnContext
from skinframe.data.columns import COLUMNS
from skinframe.data.feed import Feed
from skinframe.data.group_split import from_parts
from skinframe.planning.address import column
from skinframe.sample import Sample
from skinframe.signals import Signal


class Weights(Column):
    """A column of a plugin's own: it counts how often it is bound."""

    signal = Signal("weights", "B", "one weight per sample")
    bound = 0

    def bind(self, context: ColumnContext) -> Callable[[Sequence[int], Sequence[int], int], torch.Tensor]:
        type(self).bound += 1
        return lambda rows, views, epoch: torch.tensor([float(10 * row + epoch) for row in rows])


def feed_of(*more: Column) -> Feed:
    samples = [Sample(id=name, image=name, label=label) for name, label in (("a", 0), ("b", 1), ("c", 0))]
    columns = [kind() for kind in COLUMNS] + list(more)
    context = ColumnContext(
        samples=samples,
        split=from_parts(samples, ["train", "test", "train"]),
        classes=("NV", "MEL"),
        attributes=(),
        fields=(),
        prompt=None,  # type: ignore[arg-type]
        dataset=None,  # type: ignore[arg-type]
    )
    ids = [sample.id for sample in samples]
    return Feed(ids=ids, columns={each.signal.name: each for each in columns}, context=context)


def test_a_batch_says_which_samples_it_holds() -> None:
    """`sample_ids` are rows of the manifest, so that a loss can keep a history of each sample over the epochs."""
    batch = feed_of().batch([2, 0], [0, 0], {column("sample_ids"), column("labels"), column("class_counts")})
    assert batch["batch.sample_ids"].tolist() == [2, 0]
    assert batch["batch.labels"].tolist() == [0, 0]
    assert batch["batch.class_counts"].tolist() == [2, 0]  # of the training rows alone
    assert batch["batch.sample_ids"].dtype == torch.int64


def test_a_batch_holds_what_is_wanted_and_nothing_else() -> None:
    assert set(feed_of().batch([0], [0], {column("labels")})) == {"batch.labels"}
    assert feed_of().batch([0], [0], set()) == {}


def test_a_column_is_bound_once_and_asked_for_rows_and_epoch() -> None:
    feed, want = feed_of(Weights()), {column("weights")}
    before = Weights.bound
    feed.batch([1], [0], {column("labels")})
    assert Weights.bound == before
    assert feed.batch([1, 2], [0, 0], want, epoch=3)["batch.weights"].tolist() == [13.0, 23.0]
    assert feed.batch([0], [0], want, epoch=4)["batch.weights"].tolist() == [4.0]
    assert Weights.bound == before + 1
