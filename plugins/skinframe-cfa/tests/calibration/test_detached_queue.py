"""The queue: what it holds, in which order, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from skinframe_cfa.calibration.detached_queue import DetachedQueue, scale_gradient


def rows(*values):
    return {"a": torch.tensor(values, dtype=torch.float64), "b": torch.tensor(values).unsqueeze(1) * 2}


def test_it_joins_queued_rows_before_live_ones_and_forgets_the_oldest():
    queue = DetachedQueue(4)
    assert len(queue) == 0
    assert queue.join(rows(1, 2))["a"].tolist() == [1, 2]
    queue.push(rows(1, 2))
    queue.push(rows(3, 4, 5))
    assert len(queue) == 4
    assert queue.columns["a"].tolist() == [2, 3, 4, 5]
    assert queue.columns["b"].tolist() == [[4], [6], [8], [10]]
    assert queue.join(rows(6))["a"].tolist() == [2, 3, 4, 5, 6]
    queue.push(rows(1, 2, 3, 4, 5, 6))
    assert queue.columns["a"].tolist() == [3, 4, 5, 6]


def test_size_zero_keeps_nothing_and_size_one_keeps_the_last():
    off, one = DetachedQueue(0), DetachedQueue(1)
    for queue in (off, one):
        queue.push(rows(1, 2))
    assert off.state() == {}
    assert len(off) == 0
    assert one.state()["a"].tolist() == [2]
    assert one.join(rows(5))["b"].tolist() == [[4], [10]]


def test_the_buffers_have_a_fixed_size_and_say_how_full_they_are():
    queue = DetachedQueue(4)
    assert queue.state() == {}
    for pushed, filled, buffer in (((1,), 1, [1, 0, 0, 0]), ((2, 3), 3, [1, 2, 3, 0]), ((4, 5), 4, [2, 3, 4, 5])):
        queue.push(rows(*pushed))
        state = queue.state()
        assert int(state["filled"]) == len(queue) == filled
        assert state["a"].tolist() == buffer
        assert state["b"].shape == (4, 1)


def test_queued_rows_are_detached_copies_in_the_live_rows_dtype():
    queue, live = DetachedQueue(4), torch.ones(2, dtype=torch.float64, requires_grad=True)
    queue.push({"a": live})
    assert not queue.columns["a"].requires_grad
    with torch.no_grad():
        live += 1
    assert queue.columns["a"].tolist() == [1, 1]
    assert queue.join({"a": torch.ones(1, dtype=torch.float32)})["a"].dtype == torch.float32


def test_a_state_goes_and_comes_back():
    queue, other = DetachedQueue(4), DetachedQueue(4)
    queue.push(rows(1, 2))
    state = queue.state()
    queue.push(rows(3))
    assert state["a"].tolist() == [1, 2, 0, 0]
    other.load_state(state)
    assert other.columns["a"].tolist() == [1, 2]
    other.push(rows(3))
    assert other.columns["a"].tolist() == [1, 2, 3]
    other.load_state({})
    assert len(other) == 0


def test_columns_without_a_count_are_all_in_use():
    """As checkpoints before 1.1 hold them."""
    queue = DetachedQueue(4)
    queue.load_state({"a": torch.tensor([1.0, 2.0])})
    assert queue.columns["a"].tolist() == [1, 2]
    assert queue.state()["a"].tolist() == [1, 2, 0, 0]


def test_a_state_that_does_not_fit_is_refused():
    message = r"^calibration queue: columns of length \[3\] do not fit a queue of 2$"
    with pytest.raises(ValueError, match=message):
        DetachedQueue(2).load_state({"a": torch.zeros(3)})
    with pytest.raises(ValueError, match=r"columns of length \[1, 2\] do not fit a queue of 4"):
        DetachedQueue(4).load_state({"a": torch.zeros(2), "b": torch.zeros(1)})
    for filled in (-1, 3):
        with pytest.raises(ValueError, match=r"columns of length \[2\] do not fit a queue of 4"):
            DetachedQueue(4).load_state({"a": torch.zeros(2), "filled": torch.tensor(filled)})


def test_scale_gradient_leaves_the_value():
    x = torch.tensor(3.0, requires_grad=True)
    value = scale_gradient(x * x, 2.5)
    assert value == 9
    assert torch.autograd.grad(value, x)[0] == 15
