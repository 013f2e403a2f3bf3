"""Smooth ECE equals direct integration with the reflected kernel, and has its limits."""

import numpy as np
import pytest

from skinframe.evaluation.smooth_ece import SmoothECE


def draw(seed, n=300, sharper=1.0):
    random = np.random.default_rng(seed)
    law = random.dirichlet(np.ones(3) * 0.5, n)
    y = (random.random(n)[:, None] >= np.cumsum(law, axis=1)[:, :-1]).sum(axis=1)
    p = law**sharper
    return y, p / p.sum(axis=1, keepdims=True), np.ones(n)


def literal(y, p, w):
    """Integrate |mean_i r_i K(t, c_i)| on a fine grid, K the Gaussian with its images behind 0 and 1."""
    from scipy.optimize import brentq

    c, r = p.max(1), (p.argmax(1) == y) - p.max(1)
    t = (np.arange(2000) + 0.5) / 2000

    def error(sigma):
        images = [sign * c + 2 * shift for shift in range(-2, 3) for sign in (1, -1)]
        kernel = sum(np.exp(-(((t[:, None] - one) / sigma) ** 2) / 2) for one in images)
        return np.abs(kernel @ (w * r)).mean() / sigma / np.sqrt(2 * np.pi) / w.sum()

    return brentq(lambda sigma: error(sigma) - sigma, 1e-3, 1, xtol=1e-10)


@pytest.mark.parametrize("seed", range(6))
def test_equals_direct_integration(seed):
    y, p, w = draw(seed, sharper=[1, 2, 4][seed % 3])
    w = np.random.default_rng(seed).integers(0, 3, len(y)).astype(float)
    assert SmoothECE().value(y, p, w) == pytest.approx(literal(y, p, w), rel=1e-3)


def test_a_sharper_model_is_worse_and_a_perfect_one_has_none():
    plain, sharp = (SmoothECE().value(*draw(0, 2000, sharper)) for sharper in (1, 4))
    assert plain < 0.03 < 0.1 < sharp
    y = np.arange(30) % 3
    assert SmoothECE().value(y, np.eye(3)[y], np.ones(30)) < 1e-12
