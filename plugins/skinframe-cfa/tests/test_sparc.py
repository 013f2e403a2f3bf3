"""SPARC: the obvious loop, the threshold, padding, and that samples do not see each other."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.alignment.sparc import SPARC, grouped_regions, sparc
from slow_maths import dot, log_softmax, mean, unit
from torch.nn import functional as F

from skinframe.testing import integers

law = settings(deadline=None, derandomize=True, max_examples=40)
B, P, S, W = 2, 4, 3, 5
SEEDS = st.integers(0, 2**32 - 1)
REAL = integers((B, S), 0, 1).map(lambda drawn: torch.cat([drawn[:, :-1], torch.ones(B, 1, dtype=torch.long)], dim=1))
SCALE = torch.tensor(8.0, dtype=torch.float64)


def units(seed, *shape):
    """Unit vectors in general position: on the threshold itself either side is right."""
    random = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=random, dtype=torch.float64), dim=-1)


def slow_group(v, word):
    """The regions that one token gathers, in plain Python."""
    each = [dot(region, word) for region in v]
    low, high = min(each), max(each)
    share = [(x - low) / (high - low) if high > low else 1.0 for x in each]
    share = [x if x >= 1 / len(v) else 0.0 for x in share]
    return unit([sum(w * region[k] for w, region in zip(share, v, strict=True)) for k in range(len(word))])


def slow_sample(v, t, real, scale):
    words = [word for word, keep in zip(t, real, strict=True) if keep]
    groups = [slow_group(v, word) for word in words]
    by_word = [-log_softmax([scale * dot(word, c) for c in groups])[s] for s, word in enumerate(words)]
    by_group = [-log_softmax([scale * dot(word, c) for word in words])[s] for s, c in enumerate(groups)]
    return mean([(a + b) / 2 for a, b in zip(by_word, by_group, strict=True)])


@law
@given(seed=SEEDS, real=REAL)
def test_the_value_is_the_obvious_loop(seed, real):
    v, t = units(seed, B, P, W), units(seed + 1, B, S, W)
    samples = zip(v.tolist(), t.tolist(), real.tolist(), strict=True)
    expected = [slow_sample(*sample, 8.0) for sample in samples]
    assert sparc(v, t, real > 0, SCALE).tolist() == pytest.approx(expected, rel=1e-9, abs=1e-12)
    value = SPARC().forward(v, t, real, SCALE, torch.arange(B))
    assert value.item() == pytest.approx(mean(expected), rel=1e-9, abs=1e-12)


@law
@given(seed=SEEDS, real=REAL, order=st.permutations(range(P)), junk=st.floats(-9, 9) | st.just(math.nan))
def test_padding_and_the_order_of_patches_change_nothing(seed, real, order, junk):
    v, t = units(seed, B, P, W), units(seed + 1, B, S, W)
    value = SPARC().forward(v, t, real, SCALE, torch.arange(B))
    padded = torch.where(real[..., None] > 0, t, junk)
    assert torch.allclose(value, SPARC().forward(v[:, order], padded, real, SCALE, torch.arange(B)))


@law
@given(seed=SEEDS, real=REAL)
def test_samples_do_not_see_each_other(seed, real):
    v, t = units(seed, B, P, W), units(seed + 1, B, S, W)
    both = SPARC().forward(v, t, real, SCALE, torch.tensor([7, 7]))
    alone = [SPARC().forward(v[i : i + 1], t[i : i + 1], real[i : i + 1], SCALE, torch.tensor([0])) for i in range(B)]
    assert torch.allclose(both, torch.stack(alone).mean())
    masked = SPARC().forward(v, t, real, SCALE, torch.tensor([-1, 3]))
    assert torch.allclose(masked, alone[1])


def test_one_valid_token_gives_zero():
    v, t = units(0, 1, P, W), units(1, 1, S, W)
    assert SPARC().forward(v, t, torch.tensor([[0, 1, 0]]), SCALE, torch.tensor([0])) == 0


def test_weights_by_hand():
    """Similarities 0, 0.1, 0.25 and 1 over four patches: those below a quarter go, at a quarter they stay."""
    matches = [0.0, 0.1, 0.25, 1.0]
    v = torch.tensor([[[x, math.sqrt(1 - x * x)] for x in matches]], dtype=torch.float64)
    found = grouped_regions(v, torch.tensor([[[1.0, 0.0]]], dtype=torch.float64))[0, 0]
    expected = unit([0.25 * 0.25 + 1.0, 0.25 * math.sqrt(1 - 0.0625)])
    assert found.tolist() == pytest.approx(expected)


def test_alike_regions_share_alike_and_stay_finite():
    v = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]], requires_grad=True)
    t = torch.tensor([[[0.6, 0.8], [0.0, 1.0]]], requires_grad=True)
    assert grouped_regions(v, t).tolist() == [[[1.0, 0.0], [1.0, 0.0]]]
    value = sparc(v, t, torch.ones(1, 2, dtype=torch.bool), torch.tensor(5.0)).sum()
    for slope in torch.autograd.grad(value, [v, t]):
        assert slope.isfinite().all()
    one = grouped_regions(v[:, :1], t)
    assert one.tolist() == [[[1.0, 0.0], [1.0, 0.0]]]


def test_tokens_that_find_their_own_region_beat_those_that_do_not():
    eye = torch.eye(4, dtype=torch.float64).unsqueeze(0)
    real, ids = torch.ones(1, 2, dtype=torch.long), torch.tensor([0])
    told_apart = SPARC().forward(eye, eye[:, :2], real, SCALE, ids)
    alike = SPARC().forward(eye, eye[:, [0, 0]], real, SCALE, ids)
    assert told_apart.item() == pytest.approx(math.log1p(math.exp(-8)))
    assert alike.item() == pytest.approx(math.log(2))


def test_nothing_described_gives_zero_with_a_zero_gradient():
    v, t = units(0, B, P, W).requires_grad_(), units(1, B, S, W)
    value = SPARC().forward(v, t, torch.zeros(B, S, dtype=torch.long), SCALE, torch.full((B,), -1))
    assert value == 0
    assert not torch.autograd.grad(value, v)[0].any()


def test_what_it_is_called():
    assert (SPARC.name, SPARC.coupling, SPARC.normalise_by) == ("sparc", "per_sample", "text_ids")
