"""Traps of code that was released with papers and is no package: its formula, written anew here, against ours.

No library is needed; the expressions are ours, after reading the repositories that docs/oracles.md names.
"""

from __future__ import annotations

import math

import pytest
import torch
from oracle_cases import confidences
from skinframe_cfa.calibration.kde_ece import kde_ece
from skinframe_cfa.calibration.mmce import laplacian, mmce_squared, weighted_mmce_squared
from skinframe_cfa.calibration.soft_ece import membership, soft_ece

C, A, _, _ = confidences()


def test_trap_focal_calibration_calls_the_square_mmce():
    r = A - C
    released = (torch.outer(r, r) * laplacian(C, 0.4)).sum() / len(r) ** 2
    assert mmce_squared(C, A).item() == pytest.approx(released.item())
    assert mmce_squared(C, A).sqrt() > 2 * released


def test_trap_focal_calibration_divides_the_weighted_sums_twice():
    """Each sum is averaged over its pairs and then divided by their number again; the result shrinks with the batch."""
    right, wrong = C[A == 1], C[A == 0]

    def pairs(x, y):
        return torch.outer(x, y)

    def kernel(x, y):
        return torch.exp(-(x.unsqueeze(1) - y).abs() / 0.4)

    m, n = len(right), len(wrong)
    terms = [
        (pairs(1 - right, 1 - right) * kernel(right, right)).mean() / m**2,
        (pairs(wrong, wrong) * kernel(wrong, wrong)).mean() / n**2,
        -2 * (pairs(1 - right, wrong) * kernel(right, wrong)).mean() / (m * n),
    ]
    released = sum(terms).clamp(min=0).sqrt()
    ours = weighted_mmce_squared(C, A).sqrt()
    assert ours > 30 * released
    once = (terms[0] * m**2 + terms[1] * n**2 + terms[2] * m * n).sqrt()
    assert ours.item() == pytest.approx(once.item())


@pytest.mark.parametrize("decay", [0.9, 1e-4])
def test_trap_ports_of_soft_ece_turn_the_bins_inside_out(decay):
    """T = 1 / (log(decay) M²) is negative for a decay below 1: the furthest bin weighs most."""
    bins = 15
    temperature = 1 / (math.log(decay) * bins**2)
    assert temperature < 0
    c = torch.tensor([0.5], dtype=torch.float64)
    centres = (torch.arange(bins, dtype=torch.float64) + 0.5) / bins
    inverted = (-((c - centres) ** 2) / temperature).softmax(0)
    assert inverted.argmax() in (0, bins - 1)
    assert membership(c, bins, -temperature).argmax() == bins // 2
    with pytest.raises(ValueError, match="temperature must be > 0"):
        soft_ece(C, A, bins, temperature)


def test_trap_kernel_densities_are_nan_at_certain_confidences():
    """x^0 (1 − x)^β of the logarithm: 0 · −∞."""
    one = torch.tensor(1.0)
    p, q = one / 0.1, (1 - one) / 0.1
    assert torch.isnan(p * torch.log(one) + q * torch.log(1 - one))
    assert torch.isfinite(kde_ece(torch.tensor([1.0, 1.0, 0.7]), torch.tensor([1.0, 0.0, 1.0])))
