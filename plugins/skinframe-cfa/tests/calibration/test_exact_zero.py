"""The sample whose groups of ties are exactly as right as they are sure, in rationals: every calibration error is 0.

Any Σ_i w(c_i) (a_i − c_i) vanishes on it, so it finds a wrong sign, factor or weight in each of them; a proper score,
which pays for unsureness too, does not vanish.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from skinframe_cfa.calibration.brier import brier
from skinframe_cfa.calibration.confidence_accuracy_difference import dca, mdca
from skinframe_cfa.calibration.mmce import mmce_squared
from skinframe_cfa.calibration.smooth_ece import smooth_ece
from skinframe_cfa.calibration.soft_ece import soft_ece

from skinframe.evaluation.calibration_error import ece

GROUPS = [(3, 4), (4, 5), (2, 3), (5, 6), (9, 10), (1, 2)]  # of so many samples so many are right
CONFIDENCE = torch.tensor([float(Fraction(*group)) for group in GROUPS for _ in range(group[1])], dtype=torch.float64)
CORRECT = torch.tensor([float(i < right) for right, n in GROUPS for i in range(n)], dtype=torch.float64)

ERRORS = {
    "dca": dca,
    **{f"soft_ece, T={t}": lambda c, a, t=t: soft_ece(c, a, 15, t) for t in (1e-9, 1e-4, 1e-2, 1.0, 1e3)},
    **{f"soft_ece, p=2, T={t}": lambda c, a, t=t: soft_ece(c, a, 15, t, 2.0) for t in (1e-9, 1e-2, 1e3)},
    **{f"mmce, width={w}": lambda c, a, w=w: mmce_squared(c, a, w) for w in (0.01, 0.4, 10.0)},
    **{f"smooth_ece, sigma={s}": lambda c, a, s=s: smooth_ece(c, a, s, 200) for s in (0.01, 0.05, 1.0)},
    "mdca": lambda c, a: mdca(torch.stack([c, 1 - c], 1), (1 - a).long()),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_a_calibration_error_is_zero(error):
    assert error(CONFIDENCE, CORRECT).abs() <= 1e-12
    assert error(CONFIDENCE, 1 - CORRECT).abs() > 1e-3  # and not whatever is given


@pytest.mark.parametrize("bins", [1, 7, 15, 100])
def test_the_metric_is_zero(bins):
    probabilities = torch.stack([CONFIDENCE, 1 - CONFIDENCE], 1).numpy()
    statistic = ece((1 - CORRECT).long().numpy(), probabilities, bins)
    assert statistic(np.ones((1, len(CORRECT)))).item() <= 1e-12


def test_a_proper_score_is_not():
    logits = torch.stack([CONFIDENCE, 1 - CONFIDENCE], 1).log()
    expected = 2 * sum(Fraction(right * (n - right), n) for right, n in GROUPS) / sum(n for _, n in GROUPS)
    assert brier(logits, (1 - CORRECT).long()).item() == pytest.approx(float(expected))
    assert expected > Fraction(1, 4)
