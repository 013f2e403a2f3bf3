"""What the tests of calibration terms share: drawn samples, and the duties of every term."""

from __future__ import annotations

import math
from dataclasses import asdict
from fractions import Fraction

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from skinframe_cfa.calibration.forecasts_and_outcomes import top_label

from skinframe.signals import needs
from skinframe.testing import integers, tensors

law = settings(deadline=None, derandomize=True, database=None, max_examples=25)
N = 7
CONFIDENCE, CORRECT = tensors((N,), 0, 1), integers((N,), 0, 1).map(torch.Tensor.double)


@st.composite
def tie_groups(draw):
    """Draw binary scores whose confidence is the exact accuracy of its group of tied samples."""
    logits, labels = [], []
    for n in draw(st.lists(st.integers(2, 7), min_size=1, max_size=5)):
        right = draw(st.integers(n // 2 + 1, n - 1)) if n > 2 else 1
        accuracy = Fraction(right, n)
        logits += [[float(accuracy.numerator), float(accuracy.denominator - accuracy.numerator)]] * n
        labels += [0] * right + [1] * (n - right)
    return torch.tensor(logits, dtype=torch.float64).log(), torch.tensor(labels)


TIED = tie_groups().map(lambda drawn: top_label(*drawn))


def batch(n=24, classes=5, seed=7):
    """Return scores and labels in general position."""
    random = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, classes, generator=random, dtype=torch.float64)
    return logits, torch.randint(0, classes, (n,), generator=random)


def call(loss, logits, labels, ids=None):
    """Take one step of a term, forward and commit; sample ids are row numbers unless given. Return the value."""
    given = {"logits": logits, "labels": labels, "sample_ids": torch.arange(len(labels)) if ids is None else ids}
    signals = {need.parameter: given[need.parameter] for need in needs(type(loss).forward)}
    value = loss.forward(**signals)
    loss.commit(**{name: signal.detach() for name, signal in signals.items()})
    return value


def check_declared(term, name, coupling, defaults):
    assert (term.name, term.coupling) == (name, coupling)
    assert asdict(term.Config()) == defaults


def check_queue_is_dense(build):
    """Micro-batches that see the others in the queue have one batch's value and, weighted by size, its gradient."""
    logits, labels = batch()
    dense = logits.clone().requires_grad_()
    whole = call(build(0), dense, labels)
    (expected,) = torch.autograd.grad(whole, dense)
    assert expected.abs().max() > 1e-5
    found = torch.zeros_like(logits)
    for part in torch.arange(24).split([3, 8, 13]):
        others = torch.tensor([i for i in range(24) if i not in part])
        loss = build(512)
        call(loss, logits[others], labels[others], others)
        live = logits[part].clone().requires_grad_()
        value = call(loss, live, labels[part], part)
        assert value.item() == pytest.approx(whole.item(), rel=1e-9)
        (gradient,) = torch.autograd.grad(value * len(part) / 24, live)
        found[part] = gradient
    assert torch.allclose(found, expected, rtol=1e-7, atol=1e-12)


def check_memory(build):
    """The queue holds the last samples with a label, detached; state and floor come back after a resume."""
    logits, labels = batch()
    loss = build(10)
    assert loss.floor() is None
    assert call(loss, logits, torch.full((24,), -100)) == 0
    assert loss.floor() is None
    for part in torch.arange(24).split(6):
        call(loss, logits[part].requires_grad_(), torch.where(part == 20, -100, labels[part]), part)
    assert not any(rows.requires_grad for rows in loss.state().values())
    resumed = build(10)
    resumed.load_state({name: rows.clone() for name, rows in loss.state().items()})
    again = [call(each, logits[:6], labels[:6]) for each in (loss, resumed)]
    assert torch.equal(*again)
    assert resumed.floor() == loss.floor()
    assert math.isfinite(loss.floor())
    off = build(0)
    first = call(off, logits, labels)
    call(off, logits[:7], labels[:7])
    assert torch.equal(call(off, logits, labels), first)
    with pytest.raises(ValueError, match=r"^queue must be >= 0, got -1$"):
        build(-1)


def check_extremes(loss):
    """Values and gradients are finite at saturated scores, for one sample, for one class, and with nobody to count."""
    random = torch.Generator().manual_seed(3)
    signs = torch.where(torch.rand(6, 3, generator=random) < 0.5, -1e4, 1e4)
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    cases = [(signs, labels), (signs[:1], labels[:1]), (signs, torch.ones_like(labels)), (signs * 0, labels)]
    cases += [(signs, torch.full_like(labels, -100)), (signs[:0], labels[:0])]
    for dtype in (torch.float32, torch.bfloat16):
        for scores, truth in cases:
            live = scores.to(dtype).requires_grad_()
            fresh = type(loss)(loss.config)
            value = call(fresh, live, truth)
            (gradient,) = torch.autograd.grad(value, live)
            assert value.dtype == torch.float32
            assert torch.isfinite(value)
            assert torch.isfinite(gradient).all()
            if not (truth >= 0).any():
                assert value == 0
                assert not gradient.any()
