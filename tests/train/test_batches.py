"""Which samples stand in which step: a pure function of seed and epoch, whatever the token budget."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.data.batch_order import epoch_order, epoch_steps, micro_batches, view_of

lengths = st.lists(st.integers(1, 60), min_size=1, max_size=40)


@settings(deadline=None, derandomize=True)
@given(lengths, st.integers(1, 16), st.integers(1, 300), st.integers(0, 2**40), st.integers(0, 50))
def test_every_sample_once_and_the_budget_kept(
    sizes: list[int], batch_size: int, max_tokens: int, seed: int, epoch: int
) -> None:
    order = epoch_order(range(len(sizes)), seed, epoch)
    steps = epoch_steps(order, sizes, batch_size, max_tokens)
    assert sorted(row for step in steps for micro in step for row in micro) == list(range(len(sizes)))
    for step in steps:
        for micro in step:
            padded = len(micro) * max(sizes[row] for row in micro)
            assert padded <= max_tokens or len(micro) == 1


@settings(deadline=None, derandomize=True)
@given(lengths, st.integers(1, 16), st.integers(1, 300))
def test_the_budget_never_moves_a_sample_to_another_step(sizes: list[int], batch_size: int, max_tokens: int) -> None:
    order = epoch_order(range(len(sizes)), 3, 0)
    cut, whole = (epoch_steps(order, sizes, batch_size, budget) for budget in (max_tokens, 10**9))
    members = [[sorted(row for micro in step for row in micro) for step in steps] for steps in (cut, whole)]
    assert members[0] == members[1]


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    rows = list(range(100))
    orders = {tuple(epoch_order(rows, seed, epoch)) for seed in (0, 1) for epoch in (0, 1, 2)}
    assert len(orders) == 6
    assert epoch_order(rows, 1, 2) == epoch_order(rows, 1, 2)


def test_one_sample_over_the_budget_stands_alone() -> None:
    assert micro_batches([0, 1, 2], [5, 100, 5], 20) == [[0, 2], [1]]


def test_views_are_drawn_a_sample_and_an_epoch_evenly() -> None:
    drawn = [view_of(7, epoch, f"s{sample}", 8) for epoch in range(20) for sample in range(100)]
    counts = [drawn.count(view) for view in range(8)]
    assert min(counts) > 180  # of 250 expected each
    assert view_of(7, 3, "s1", 1) == 0
