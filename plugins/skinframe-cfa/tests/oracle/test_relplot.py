"""relplot, the smooth ECE authors' package: its value at fixed sigma is ours to its grid's accuracy."""

from __future__ import annotations

import pytest
from oracle_cases import confidences, library
from skinframe_cfa.calibration.smooth_ece import smooth_ece

relplot = library("relplot")
C, A, _, _ = confidences()


@pytest.mark.parametrize("sigma", [0.02, 0.05, 0.1, 0.3])
def test_smooth_ece_at_fixed_sigma(sigma):
    theirs = relplot.smECE_sigma(C.numpy(), A.numpy(), sigma)
    # theirs puts confidences on a grid first; ours is checked to 1e-7 against a plain sum in its own tests
    assert smooth_ece(C, A, sigma, 1000).item() == pytest.approx(float(theirs), rel=5e-3)


def test_the_published_metric_is_the_value_at_its_own_width():
    value, width = relplot.smECE(C.numpy(), A.numpy(), return_width=True)
    assert smooth_ece(C, A, float(width), 1000).item() == pytest.approx(float(value), rel=1e-2)
    assert value == pytest.approx(float(width), abs=2e-3)
