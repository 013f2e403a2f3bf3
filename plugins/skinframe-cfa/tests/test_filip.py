"""FILIP: the obvious loop, padding, the order of patches, its cosine limit, and texts without a token."""

from __future__ import annotations

import math

import pytest
import slow_maths
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.alignment.clip_infonce import clip_infonce
from skinframe_cfa.alignment.filip import FILIP, late_interaction
from skinframe_cfa.alignment.positive_pairs import described_tokens
from slow_maths import dot, mean
from torch.nn import functional as F

from skinframe.testing import integers, unit_vectors

law = settings(deadline=None, derandomize=True, max_examples=40)
B, P, S, W = 3, 2, 3, 4
REGIONS, TOKENS = unit_vectors((B, P, W)), unit_vectors((B, S, W))
REAL = integers((B, S), 0, 1).map(lambda drawn: torch.cat([drawn[:, :-1], torch.ones(B, 1, dtype=torch.long)], dim=1))
SCALE = torch.tensor(10.0, dtype=torch.float64)


def slow_sides(v, t, real):
    """Both similarities, in plain Python, texts in rows for the second."""
    n = len(v)
    image_side, text_side = [[0.0] * n for _ in range(n)], [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            words = [word for word, keep in zip(t[j], real[j], strict=True) if keep]
            image_side[i][j] = mean([max(dot(region, word) for word in words) for region in v[i]])
            text_side[j][i] = mean([max(dot(region, word) for region in v[i]) for word in words])
    return image_side, text_side


@law
@given(v=REGIONS, t=TOKENS, real=REAL, ids=integers((B,), 0, 2), labels=integers((B,), -1, 1))
def test_the_value_is_the_obvious_loop(v, t, real, ids, labels):
    one, other = slow_sides(v.tolist(), t.tolist(), real.tolist())
    image_side, text_side = late_interaction(v, t, real > 0)
    for found, slow in ((image_side, one), (text_side, other)):
        assert found.flatten().tolist() == pytest.approx([x for row in slow for x in row], abs=1e-12)
        assert (found.abs() <= 1 + 1e-12).all()
    n, k = ids.tolist(), labels.tolist()
    for kind in ("text", "class"):
        more = kind == "class"
        positives = [[n[i] == n[j] or (more and k[i] == k[j] >= 0) for j in range(B)] for i in range(B)]
        scaled = [[[10 * x for x in row] for row in side] for side in (one, other)]
        expected = slow_maths.multi_positive(scaled[0], positives, None, scaled[1])
        loss = FILIP(FILIP.Config(positives=kind))
        assert loss.forward(v, t, real, SCALE, ids, labels).item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@law
@given(v=REGIONS, t=TOKENS, real=REAL, order=st.permutations(range(P)), junk=st.floats(-9, 9) | st.just(math.nan))
def test_padding_and_the_order_of_patches_change_nothing(v, t, real, order, junk):
    ids = torch.arange(B)
    value = FILIP().forward(v, t, real, SCALE, ids, ids)
    padded = torch.where(real[..., None] > 0, t, junk)
    assert torch.allclose(value, FILIP().forward(v[:, order], padded, real, SCALE, ids, ids))


@law
@given(v=unit_vectors((B, 1, W)), t=unit_vectors((B, 1, W)))
def test_one_token_each_is_the_cosine(v, t):
    ids, ones = torch.arange(B), torch.ones(B, 1, dtype=torch.long)
    plain = clip_infonce(v[:, 0], t[:, 0], SCALE, torch.eye(B, dtype=torch.bool))
    assert torch.allclose(FILIP().forward(v, t, ones, SCALE, ids, ids), plain)


def test_padding_has_no_gradient_even_where_it_is_nan():
    random = torch.Generator().manual_seed(0)
    v = F.normalize(torch.randn(B, P, W, generator=random), dim=-1)
    t = F.normalize(torch.randn(B, S, W, generator=random), dim=-1)
    t[0, 2] = math.nan
    t.requires_grad_()
    real = torch.tensor([[1, 1, 0], [1, 1, 1], [1, 0, 0]])
    value = FILIP().forward(v, t, real, SCALE.float(), torch.arange(B), torch.arange(B))
    (slope,) = torch.autograd.grad(value, t)
    assert slope.isfinite().all()
    assert not slope[real == 0].any()
    assert slope[0, :2].any()


def test_a_description_without_a_token_is_an_error_that_names_it():
    tokens, mask = torch.ones(3, 2, 2), torch.tensor([[1, 0], [0, 0], [0, 0]])
    with pytest.raises(ValueError, match=r"^text_token_mask: the description of sample 1, 2 of the batch has no token"):
        described_tokens(torch.tensor([0, 1, 2]), tokens, mask)
    with pytest.raises(ValueError, match=r"of sample 2 of the batch"):
        FILIP().forward(tokens, tokens, mask, SCALE, torch.tensor([0, -1, 2]), torch.arange(3))
    kept, real = described_tokens(torch.tensor([0, -1, -1]), tokens, mask)
    assert kept.tolist() == [[[1.0, 1.0], [0.0, 0.0]]]
    assert real.tolist() == [[True, False]]


def test_a_mask_counts_from_one():
    _, real = described_tokens(torch.tensor([0]), torch.ones(1, 3, 1), torch.tensor([[2, 0, 1]]))
    assert real.tolist() == [[True, False, True]]


def test_what_the_last_batch_was():
    v, ids = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]]), torch.tensor([4, 4])
    loss = FILIP()
    assert loss.floor() is None
    value = loss.forward(v, v, torch.ones(2, 1, dtype=torch.long), torch.tensor(100.0), ids, ids)
    assert loss.floor() == pytest.approx(math.log(2))
    assert value > loss.floor()
    assert loss.notes() == {"scale": 100.0, "scale_clamped": 1.0}


def test_sites_narrow_the_class():
    random = torch.Generator().manual_seed(5)
    v = F.normalize(torch.randn(B, P, W, generator=random), dim=-1)
    t = F.normalize(torch.randn(B, S, W, generator=random), dim=-1)
    ids, labels, real = torch.arange(B), torch.zeros(B, dtype=torch.long), torch.ones(B, S, dtype=torch.long)
    loss = FILIP(FILIP.Config(positives="class_and_site"))
    value = loss.forward(v, t, real, SCALE.float(), ids, labels, torch.tensor([0, 1, 2]))
    assert torch.equal(value, FILIP().forward(v, t, real, SCALE.float(), ids, labels))
    with pytest.raises(ValueError, match="needs the signal site_ids"):
        loss.forward(v, t, real, SCALE.float(), ids, labels)


def test_what_it_is_called_and_refuses():
    assert (FILIP.name, FILIP.coupling, FILIP.normalise_by) == ("filip", "batch", "text_ids")
    assert FILIP.Config().positives == "text"
    with pytest.raises(ValueError, match=r"^positives must be"):
        FILIP.Config(positives="identity")
