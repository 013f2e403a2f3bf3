"""Every function with a `reduction` keeps the laws of the four reductions."""

from __future__ import annotations

from functools import partial

from skinframe_cfa.calibration.brier import brier
from skinframe_cfa.classification.cross_entropy import cross_entropy
from skinframe_cfa.classification.focal import focal

from skinframe.testing import reduction_contract


@reduction_contract(cross_entropy=cross_entropy, focal=partial(focal, gamma=2.0), brier=brier)
def test_reductions(function, check):
    check(function)
