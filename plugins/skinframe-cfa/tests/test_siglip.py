"""SigLIP: the obvious loop, chunks, the prior bias, one sample alone, and that it is a sum over pairs."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.alignment import siglip as module
from skinframe_cfa.alignment.multi_positive_contrastive import computed_again
from skinframe_cfa.alignment.positive_pairs import same
from skinframe_cfa.alignment.siglip import SigLIP, prior_bias, siglip
from slow_maths import dot
from torch.nn import functional as F

from skinframe.testing import integers, unit_vectors

law = settings(deadline=None, derandomize=True, max_examples=50)
B, P, W = 4, 2, 3
VECTORS, IDS = unit_vectors((B, W)), integers((B,), 0, 3)
SCALE, BIAS = st.floats(1, 20), st.floats(-5, 5)
EYE = torch.eye(B, dtype=torch.bool)


def slow_pair(image, text, s, b, positive):
    score = s * dot(image, text) + b
    return math.log1p(math.exp(-score if positive else score))


def slow(images, texts, s, b, positives):
    pairs = [(i, j) for i in range(len(images)) for j in range(len(texts))]
    return sum(slow_pair(images[i], texts[j], s, b, positives[i][j]) for i, j in pairs) / len(images)


@law
@given(images=VECTORS, texts=VECTORS, s=SCALE, b=BIAS, ids=IDS, chunk=st.integers(0, B + 1))
def test_the_value_is_the_obvious_loop_whole_and_in_chunks(images, texts, s, b, ids, chunk):
    positives = same(ids)
    expected = slow(images.tolist(), texts.tolist(), s, b, positives.tolist())
    leaves = [images.requires_grad_(), texts.requires_grad_()]
    leaves += [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (s, b)]
    whole, parts = siglip(*leaves, positives), siglip(*leaves, positives, chunk)
    assert whole.item() == pytest.approx(expected, rel=1e-9)
    assert torch.allclose(whole, parts, rtol=1e-12)
    for one, other in zip(torch.autograd.grad(whole, leaves), torch.autograd.grad(parts, leaves), strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("chunk", "scored"), [(0, 0), (1, B), (2, 2), (3, 2), (B, 0), (B + 1, 0)])
def test_it_scores_no_more_texts_at_a_time_than_it_is_asked(monkeypatch, chunk, scored):
    parts = []
    again = lambda function, *rest: parts.append(len(rest[0])) or computed_again(function, *rest)  # noqa: E731
    monkeypatch.setattr(module, "computed_again", again)
    v, q, t = vectors()
    siglip(q, t, torch.tensor(1.0), torch.tensor(0.0), EYE, chunk)
    assert len(parts) == scored
    assert all(rows <= chunk for rows in parts)
    parts.clear()
    SigLIP(SigLIP.Config(chunk=chunk)).forward(v, q, t, torch.tensor(1.0), torch.arange(B), torch.arange(B))
    assert len(parts) == scored
    parts.clear()
    siglip(q, t, torch.tensor(1.0), torch.tensor(0.0), EYE)
    assert not parts


def test_by_hand():
    images = torch.eye(2, dtype=torch.float64)
    value = siglip(images, images, torch.tensor(math.log(9.0)), torch.tensor(-math.log(3.0)), EYE[:2, :2])
    # matched pairs score log 3, the others −log 3: each of the four costs log(4/3)
    assert value.item() == pytest.approx(4 * math.log(4 / 3) / 2)
    alone = siglip(images[:1], images[:1], torch.tensor(math.log(9.0)), torch.tensor(-math.log(3.0)), EYE[:1, :1])
    assert alone.item() == pytest.approx(math.log(4 / 3))


@pytest.mark.parametrize(
    ("ids", "expected"),
    [([0, 1, 2, 3], -math.log(3)), ([0, 0, 1, 2], -math.log(10 / 6)), ([0, 0], 0.0), ([5], 0.0), ([], 0.0)],
)
def test_the_bias_of_the_prior(ids, expected):
    assert prior_bias(same(torch.tensor(ids, dtype=torch.long))) == pytest.approx(expected)


def test_no_pair_at_all_has_no_prior():
    assert prior_bias(torch.zeros(2, 2, dtype=torch.bool)) == 0.0


def test_unrelated_vectors_start_at_the_entropy_of_the_prior():
    """Where no vector says anything, the loss of B samples is B times the entropy of one positive in B."""
    nothing = torch.zeros(B, 1, dtype=torch.float64)
    loss = SigLIP(SigLIP.Config(bias=None))
    unique = torch.arange(B)
    value = loss.forward(nothing[:, None], nothing, nothing, torch.tensor(10.0), unique, unique)
    prior = 1 / B
    entropy = -prior * math.log(prior) - (1 - prior) * math.log(1 - prior)
    assert value.item() == pytest.approx(B * entropy)


def vectors(seed=0):
    random = torch.Generator().manual_seed(seed)
    v = F.normalize(torch.randn(B, P, W, generator=random, dtype=torch.float64), dim=-1)
    t, q = F.normalize(torch.randn(2, B, W, generator=random, dtype=torch.float64), dim=-1)
    return v, q, t


@pytest.mark.parametrize("learned", [None, 0.7])
@pytest.mark.parametrize(("bias", "start"), [(-3.4, -3.4), (1.5, 1.5), (None, -math.log(3))])
def test_the_bias_is_the_start_plus_what_is_learned(bias, start, learned):
    v, q, t = vectors()
    unique = torch.arange(B)
    extra = {} if learned is None else {"logit_bias": torch.tensor(learned, dtype=torch.float64)}
    loss = SigLIP(SigLIP.Config(bias=bias, image="queries", chunk=2))
    value = loss.forward(v, q, t, torch.tensor(5.0), unique, unique, **extra)
    expected = slow(q.tolist(), t.tolist(), 5.0, start + (learned or 0.0), EYE.tolist())
    assert value.item() == pytest.approx(expected, rel=1e-6)
    assert loss.notes() == {"scale": 5.0, "scale_clamped": 0.0}


def test_positives_are_an_option():
    v, q, t = vectors(1)
    labels, sites, ids = torch.tensor([0, 0, 0, 1]), torch.tensor([1, 1, 2, 2]), torch.arange(B)
    images = F.normalize(v.mean(1), dim=-1).tolist()
    for kind, truth in (("class", same(labels)), ("class_and_site", same(labels) & same(sites)), ("text", EYE)):
        loss = SigLIP(SigLIP.Config(positives=kind, bias=-1.0))
        value = loss.forward(v, q, t, torch.tensor(5.0), ids, labels, sites)
        assert value.item() == pytest.approx(slow(images, t.tolist(), 5.0, -1.0, truth.tolist()), rel=1e-6)


def test_it_is_a_sum_over_pairs():
    """Three samples cost what their pairs and single samples add up to, so no other sample changes a pair's share."""
    v, q, t = vectors(2)

    def total(*rows):
        index = torch.tensor(rows)
        value = SigLIP().forward(v[index], q[index], t[index], torch.tensor(5.0), index, index)
        return value.item() * len(rows)

    pairs = total(0, 1) + total(0, 2) + total(1, 2)
    assert total(0, 1, 2) == pytest.approx(pairs - total(0) - total(1) - total(2))


def test_samples_without_a_description_are_left_out():
    v, q, t = vectors(4)
    ids = torch.tensor([0, -1, 1, 2])
    t[1], keep = math.nan, torch.tensor([0, 2, 3])
    value = SigLIP().forward(v, q, t, torch.tensor(5.0), ids, ids)
    assert torch.allclose(value, SigLIP().forward(v[keep], q[keep], t[keep], torch.tensor(5.0), ids[keep], ids[keep]))
    none = SigLIP().forward(v, q, t, torch.tensor(5.0), torch.full((B,), -1), ids)
    assert none == 0


WRONG = [
    ({"positives": "identity"}, "^positives must be"),
    ({"image": "mean"}, "^image must be"),
    ({"chunk": -1}, "^chunk must be"),
    ({"bias": math.nan}, "^bias must be a finite number or null, got nan"),
    ({"bias": math.inf}, "^bias must be"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SigLIP.Config(**options)


def test_what_it_is_called():
    assert (SigLIP.name, SigLIP.coupling, SigLIP.normalise_by) == ("siglip", "pairwise_additive", "text_ids")
    assert SigLIP.Config() == SigLIP.Config(positives="text", image="regions", bias=-3.4, chunk=0)
