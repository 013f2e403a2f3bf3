"""The running correctness of each sample."""

from __future__ import annotations

import pytest
import torch
from skinframe_cfa.calibration.correctness_history import CorrectnessHistory


def ids(*values):
    return torch.tensor(values, dtype=torch.long)


def test_visits_add_up_by_id_whatever_the_order():
    history = CorrectnessHistory()
    assert [each.tolist() for each in history.read(ids(0, 2))] == [[0, 0], [0, 0]]
    history.record(ids(2, 0), torch.tensor([1.0, 0.0]))
    history.record(ids(0, 5), torch.tensor([1.0, 0.5]))
    assert [each.tolist() for each in history.read(ids(5, 2, 1, 0, 9))] == [[0.5, 1, 0, 1, 0], [1, 1, 0, 2, 0]]
    assert all(each.dtype == torch.float64 for each in history.read(ids(0)))


def test_a_sample_that_comes_twice_in_a_batch_counts_twice():
    history = CorrectnessHistory()
    history.record(ids(1, 1, 0), torch.tensor([1.0, 0.0, 1.0]))
    assert [each.tolist() for each in history.read(ids(0, 1))] == [[1, 1], [1, 2]]


def test_nobody_is_no_visit():
    history = CorrectnessHistory()
    history.record(ids(), torch.zeros(0))
    assert [each.tolist() for each in history.read(ids())] == [[], []]
    assert [each.tolist() for each in history.read(ids(0))] == [[0], [0]]


def test_columns_are_as_long_as_the_largest_id_asks():
    history = CorrectnessHistory()
    history.record(ids(), torch.zeros(0))
    assert len(history.state()["right"]) == 0
    for last, expected in ((3, 4), (3, 4), (5, 6), (0, 6)):
        history.record(ids(last), torch.ones(1))
        assert [len(rows) for rows in history.state().values()] == [expected, expected]


def test_a_state_goes_and_comes_back():
    history, other = CorrectnessHistory(), CorrectnessHistory()
    assert history.state() == {}
    history.record(ids(1), torch.tensor([1.0], requires_grad=True))
    state = history.state()
    assert set(state) == {"right", "visits"}
    assert not state["right"].requires_grad
    history.record(ids(1), torch.tensor([0.0]))
    assert state["visits"].tolist() == [0, 1]  # what was handed out stays
    other.load_state(state)
    assert [each.tolist() for each in other.read(ids(0, 1))] == [[0, 1], [0, 1]]
    other.load_state({})
    assert other.state() == {}


@pytest.mark.parametrize("state", [{"right": torch.zeros(2), "visits": torch.zeros(3)}, {"right": torch.zeros(2)}])
def test_columns_of_different_length_are_refused(state):
    rows = len(state.get("visits", ()))
    with pytest.raises(ValueError, match=rf"^correctness history: columns of 2 and {rows} rows do not fit each other$"):
        CorrectnessHistory().load_state(state)
