"""What is decided about a step before the optimiser moves anything."""

from __future__ import annotations

import signal

import pytest
import torch

from skinframe.errors import NonFiniteError, RecipeError
from skinframe.train.step_guards import Stop, Verdict, decide, halved


def stopped() -> Stop:
    stop = Stop()
    stop.signal = signal.SIGTERM
    return stop


def test_a_step_without_error_moves_the_weights() -> None:
    assert decide(None, Stop()) == Verdict("update", stop=False)
    assert decide(None, stopped()) == Verdict("update", stop=True)


def test_memory_cuts_the_step_finer_and_what_is_not_finite_is_diagnosed() -> None:
    for error in (torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("not enough memory")):
        assert decide(error, stopped()) == Verdict("cut finer", stop=False)
    assert decide(NonFiniteError("losses.a: is nan"), Stop()) == Verdict("diagnose")


def test_any_other_error_is_raised_as_it_is() -> None:
    error = RuntimeError("shapes do not match")
    with pytest.raises(RuntimeError) as found:
        decide(error, Stop())
    assert found.value is error


def test_half_of_the_largest_micro_batch_that_can_be_cut() -> None:
    lengths = [10, 10, 90, 7]
    assert halved([[0, 1], [2], [0, 3]], lengths, 5) == 10  # 2 rows of 10; the single row of 90 cannot be cut
    assert halved([[0, 1, 2]], lengths, 5) == 135
    with pytest.raises(RecipeError, match=r"one sample at a time does not fit at step 5"):
        halved([[0], [2]], lengths, 5)
