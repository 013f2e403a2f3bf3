"""The queue: what it holds, in which order, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from skinframe_cfa.calibration.queue import DetachedQueue, scale_gradient


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
    assert one.state()["a"].tolist() == [2]


def test_queued_rows_are_detached_copies_in_the_live_rows_dtype():
    queue, live = DetachedQueue(4), torch.ones(2, dtype=torch.float64, requires_grad=True)
    queue.push({"a": live})
    assert not queue.columns["a"].requires_grad
    with torch.no_grad():
        live += 1
    assert queue.columns["a"].tolist() == [1, 1]
    assert queue.join({"a": torch.ones(1, dtype=torch.float32)})["a"].dtype == torch.float32


def test_a_state_goes_and_comes_back():
    queue, other = DetachedQueue(4), DetachedQueue(2)
    queue.push(rows(1, 2))
    state = queue.state()
    queue.push(rows(3))
    assert state["a"].tolist() == [1, 2]
    other.load_state(state)
    assert other.columns["a"].tolist() == [1, 2]
    other.load_state({})
    assert len(other) == 0


def test_a_state_that_does_not_fit_is_refused():
    message = r"^calibration queue: columns of length \[3\] do not fit a queue of 2$"
    with pytest.raises(ValueError, match=message):
        DetachedQueue(2).load_state({"a": torch.zeros(3)})
    with pytest.raises(ValueError, match=r"columns of length \[1, 2\] do not fit a queue of 4"):
        DetachedQueue(4).load_state({"a": torch.zeros(2), "b": torch.zeros(1)})


def test_scale_gradient_leaves_the_value():
    x = torch.tensor(3.0, requires_grad=True)
    value = scale_gradient(x * x, 2.5)
    assert value == 9
    assert torch.autograd.grad(value, x)[0] == 15
