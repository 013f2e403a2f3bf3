"""The engine's own tracker keeps the contract of its kind."""

from __future__ import annotations

from skinframe.testing import tracker_contract
from skinframe.train.tensorboard import TensorBoard


@tracker_contract(TensorBoard())
def test_tracker_contract(tracker, check):
    check(tracker)
