"""KDE-ECE: against densities in plain Python, the edges of the simplex, limits, and the term's duties."""

from __future__ import annotations

import math

import pytest
import torch
from calibration_cases import (
    CONFIDENCE,
    CORRECT,
    batch,
    call,
    check_declared,
    check_extremes,
    check_memory,
    check_queue_is_dense,
    law,
)
from hypothesis import given
from hypothesis import strategies as st
from skinframe_cfa.calibration.forecasts_and_outcomes import top_label
from skinframe_cfa.calibration.kde_ece import EDGE, KDEECE, canonical_kde_ece, kde_ece, leave_one_out

from skinframe.testing import integers, loss_contract, tensors

BANDWIDTH, POWER = st.floats(0.02, 2.0), st.sampled_from([1.0, 1.5, 2.0])
TOP, ALL = KDEECE(), KDEECE(KDEECE.Config(kernel="dirichlet", power=2.0))


def build(queue):
    return KDEECE(KDEECE.Config(queue=queue))


def log_dirichlet(x, alpha):
    """Log density of a Dirichlet distribution; two classes are the Beta distribution."""
    normaliser = math.lgamma(sum(alpha)) - sum(math.lgamma(each) for each in alpha)
    return normaliser + sum((a - 1) * math.log(xk) for a, xk in zip(alpha, x, strict=True))


def slow_estimates(points, outcomes, bandwidth):
    """Mean outcome [n][D] of the others, weighted by the kernel centred at each of them."""
    points = [[max(each, 1e-6) for each in row] for row in points]
    points = [[each / sum(row) for each in row] for row in points]
    found = []
    for i, x in enumerate(points):
        logs = {j: log_dirichlet(x, [f / bandwidth + 1 for f in points[j]]) for j in range(len(points)) if j != i}
        top = max(logs.values())
        weights = {j: math.exp(each - top) for j, each in logs.items()}
        total = sum(weights.values())
        found.append([sum(w * outcomes[j][d] for j, w in weights.items()) / total for d in range(len(outcomes[0]))])
    return found


@law
@given(c=CONFIDENCE, a=CORRECT, bandwidth=BANDWIDTH, power=POWER)
def test_top_label_is_the_obvious_loop(c, a, bandwidth, power):
    estimates = slow_estimates([[x, 1 - x] for x in c.tolist()], [[x] for x in a.tolist()], bandwidth)
    slow = sum(abs(e[0] - ci) ** power for e, ci in zip(estimates, c.tolist(), strict=True)) / len(c)
    found = kde_ece(c, a, bandwidth, power)
    assert found.item() == pytest.approx(slow, rel=1e-7, abs=1e-9)
    assert 0 <= found <= 1


@law
@given(logits=tensors((6, 3), -8, 8), labels=integers((6,), 0, 2), bandwidth=BANDWIDTH, power=POWER)
def test_canonical_is_the_obvious_loop(logits, labels, bandwidth, power):
    p = logits.softmax(1)
    truth = [[float(y == k) for k in range(3)] for y in labels.tolist()]
    estimates = slow_estimates(p.tolist(), truth, bandwidth)
    slow = sum(
        abs(e - pk) ** power
        for es, row in zip(estimates, p.tolist(), strict=True)
        for e, pk in zip(es, row, strict=True)
    )
    assert canonical_kde_ece(p, labels, bandwidth, power).item() == pytest.approx(slow / 6, rel=1e-7, abs=1e-9)


@law
@given(c=CONFIDENCE, a=CORRECT)
def test_two_classes_are_the_beta_kernel_twice(c, a):
    p, labels = torch.stack([c, 1 - c], dim=1), (1 - a).long()
    assert torch.allclose(canonical_kde_ece(p, labels, 0.1), 2 * kde_ece(c, a, 0.1))


def test_a_wide_kernel_is_the_mean_of_the_others_and_a_narrow_one_the_nearest():
    c, a = torch.tensor([0.1, 0.15, 0.9], dtype=torch.float64), torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)
    wide = (abs(0.5 - 0.1) + abs(1 - 0.15) + abs(0.5 - 0.9)) / 3
    near = (abs(0 - 0.1) + abs(1 - 0.15) + abs(0 - 0.9)) / 3
    assert kde_ece(c, a, 1e7).item() == pytest.approx(wide, abs=1e-5)
    assert kde_ece(c, a, 1e-3).item() == pytest.approx(near, abs=1e-6)


def test_weights_are_shares_of_the_others():
    w = leave_one_out(torch.tensor([[0.2, 0.8], [0.5, 0.5], [0.6, 0.4]]), 0.1)
    assert w.diagonal().tolist() == [0, 0, 0]
    assert w.sum(dim=1).tolist() == pytest.approx([1, 1, 1])
    assert w[2, 1] > w[2, 0]


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_certain_confidences_are_finite(edge):
    c = torch.tensor([edge, edge, 0.3], dtype=torch.float64, requires_grad=True)
    value = kde_ece(c, torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64))
    assert torch.isfinite(value)
    assert torch.isfinite(torch.autograd.grad(value, c)[0]).all()
    assert EDGE == 1e-6


def test_one_sample_gives_zero_and_two_judge_each_other():
    one = torch.tensor([0.7], dtype=torch.float64, requires_grad=True)
    value = kde_ece(one, torch.tensor([[1.0], [0.0]]))
    assert value.tolist() == [0, 0]
    assert torch.autograd.grad(value.sum(), one)[0] == 0
    p = torch.tensor([[0.7, 0.3]])
    assert canonical_kde_ece(p, torch.tensor([[0], [1], [1]])).tolist() == [0, 0, 0]
    assert kde_ece(torch.tensor([0.7, 0.6]), torch.tensor([1.0, 0.0])).item() == pytest.approx((0.7 + 0.4) / 2)
    two = canonical_kde_ece(torch.tensor([[0.7, 0.3], [0.6, 0.4]]), torch.tensor([[0, 1]]), 0.1, 2.0)
    assert two.tolist() == pytest.approx([(2 * 0.7**2 + 2 * 0.4**2) / 2])


def test_the_defaults():
    logits, labels = batch()
    c, a = top_label(logits, labels)
    assert kde_ece(c, a) == kde_ece(c, a, 0.05, 1.0)
    p = logits.softmax(1)
    assert canonical_kde_ece(p, labels) == canonical_kde_ece(p, labels, 0.05, 1.0)


def test_many_draws_of_outcomes_are_scored_one_by_one():
    logits, labels = batch()
    c, p = top_label(logits, labels)[0], logits.softmax(1)
    draws = torch.stack([labels, labels.flip(0), labels.roll(1)])
    right = (draws == logits.argmax(1)).double()
    torch.testing.assert_close(kde_ece(c, right), torch.stack([kde_ece(c, each) for each in right]))
    several = torch.stack([canonical_kde_ece(p, each) for each in draws])
    torch.testing.assert_close(canonical_kde_ece(p, draws), several)
    assert kde_ece(c[:1], right[:, :1]).tolist() == [0, 0, 0]
    assert canonical_kde_ece(p[:1], draws[:, :1]).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "gauss"}, "^kernel must be beta or dirichlet, got 'gauss'$"),
        ({"bandwidth": 0.0}, "^bandwidth must be a finite number > 0, got 0.0$"),
        ({"bandwidth": math.inf}, "^bandwidth must be a finite number > 0, got inf$"),
        ({"power": 0.5}, "^power must be a finite number >= 1, got 0.5$"),
        ({"power": math.nan}, "^power must be a finite number >= 1, got nan$"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        KDEECE.Config(**options)


def test_the_term():
    check_declared(KDEECE, "kde_ece", "batch", {"kernel": "beta", "bandwidth": 0.05, "power": 1.0, "queue": 512})
    logits, labels = batch()
    top = KDEECE(KDEECE.Config(bandwidth=0.2, power=2.0))
    assert torch.equal(call(top, logits, labels), kde_ece(*top_label(logits, labels), 0.2, 2.0))
    every = KDEECE(KDEECE.Config(kernel="dirichlet", bandwidth=0.2, power=2.0))
    assert torch.equal(call(every, logits, labels), canonical_kde_ece(logits.softmax(1), labels, 0.2, 2.0))
    check_queue_is_dense(build)
    check_queue_is_dense(lambda queue: KDEECE(KDEECE.Config(kernel="dirichlet", queue=queue)))
    check_memory(build)
    check_memory(lambda queue: KDEECE(KDEECE.Config(kernel="dirichlet", queue=queue)))
    check_extremes(TOP)
    check_extremes(ALL)


@loss_contract(TOP, ALL, examples=8)
def test_contract(loss, check):
    check(loss)
