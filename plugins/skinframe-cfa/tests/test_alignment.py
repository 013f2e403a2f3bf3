"""Alignment terms: against the obvious loops, and in the limits."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.alignment.clip_infonce import ClipInfoNCE, clip_infonce
from skinframe_cfa.alignment.contrastive import multi_positive, positive_floor, positive_pairs
from skinframe_cfa.alignment.region_alignment import RegionAlignment, region_attention, region_similarity
from torch.nn import functional as F

from skinframe.testing import integers, tensors, unit_vectors

law = settings(deadline=None, derandomize=True, max_examples=50)
B, P, W = 4, 3, 5
REGIONS, VECTORS = unit_vectors((B, P, W)), unit_vectors((B, W))
IDS = integers((B,), 0, 3)
IDENTITY = torch.eye(B, dtype=torch.bool)


def slow_multi_positive(S: list[list[float]], positives: list[list[bool]]) -> float:
    """Both directions, in plain Python."""
    total, n = 0.0, len(S)
    for matrix in (S, [list(column) for column in zip(*S, strict=True)]):
        for i in range(n):
            top = max(matrix[i])
            log_sum = top + math.log(sum(math.exp(x - top) for x in matrix[i]))
            own = [j for j in range(n) if positives[i][j]]
            total += -sum(matrix[i][j] - log_sum for j in own) / len(own)
    return total / (2 * n)


def slow_similarity(v, t, q, kappa) -> list[list[float]]:
    """The attended regions' cosine with each text, in plain Python."""

    def dot(x, y):
        return sum(a * b for a, b in zip(x, y, strict=True))

    S = []
    for i in range(len(v)):
        S.append([])
        for j in range(len(t)):
            asks = t[j] if q is None else q[i]
            weights = [math.exp(kappa * dot(region, asks)) for region in v[i]]
            u = [sum(w * region[k] for w, region in zip(weights, v[i], strict=True)) for k in range(len(t[j]))]
            S[i].append(dot(u, t[j]) / math.sqrt(dot(u, u)))
    return S


@law
@given(S=tensors((B, B), -100, 100), ids=IDS)
def test_multi_positive_is_the_obvious_loop(S, ids):
    positives = positive_pairs(ids)
    value = multi_positive(S, positives)
    assert value.item() == pytest.approx(slow_multi_positive(S.tolist(), positives.tolist()), rel=1e-9, abs=1e-9)
    assert value >= positive_floor(positives) - 1e-9


@pytest.mark.parametrize("query", ["text", "reasoner"])
def test_similarity_is_the_obvious_loop(query):
    random = torch.Generator().manual_seed(2)
    v = F.normalize(torch.randn(B, P, W, generator=random, dtype=torch.float64), dim=-1)
    t, q = F.normalize(torch.randn(2, B, W, generator=random, dtype=torch.float64), dim=-1)
    q = q if query == "reasoner" else None
    expected = slow_similarity(v.tolist(), t.tolist(), None if q is None else q.tolist(), 3.0)
    assert torch.allclose(region_similarity(v, t, q, 3.0), torch.tensor(expected, dtype=torch.float64))


@law
@given(images=VECTORS, texts=VECTORS, s=st.floats(1, 100))
def test_clip_bounds_symmetry_and_rotation(images, texts, s):
    value = clip_infonce(images, texts, torch.tensor(s), IDENTITY)
    assert math.log1p((B - 1) * math.exp(-2 * s)) - 1e-9 <= value <= math.log1p((B - 1) * math.exp(2 * s)) + 1e-9
    assert torch.allclose(value, clip_infonce(texts, images, torch.tensor(s), IDENTITY))
    turn, _ = torch.linalg.qr(torch.randn(W, W, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    assert torch.allclose(value, clip_infonce(images @ turn, texts @ turn, torch.tensor(s), IDENTITY), rtol=1e-6)


def test_equal_embeddings_give_log_n_and_one_sample_gives_zero():
    same = F.normalize(torch.ones(B, W, dtype=torch.float64), dim=-1)
    assert clip_infonce(same, same, torch.tensor(50.0), IDENTITY).item() == pytest.approx(math.log(B))
    assert clip_infonce(same[:1], same[:1], torch.tensor(50.0), IDENTITY[:1, :1]) == 0


def test_perfect_clusters_reach_the_floor():
    ids = torch.tensor([0, 0, 0, 1, 1, 2])
    corners = torch.eye(3, dtype=torch.float64)[ids]
    positives = positive_pairs(ids)
    floor = (3 * math.log(3) + 2 * math.log(2)) / 6
    assert positive_floor(positives).item() == pytest.approx(floor)
    assert clip_infonce(corners, corners, torch.tensor(100.0), positives).item() == pytest.approx(floor)


def test_positive_pairs():
    ids, labels = torch.tensor([4, 4, 5, 6, -1]), torch.tensor([0, 1, 1, -100, 1])
    assert positive_pairs(ids).int().tolist() == [
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0],
    ]
    with_class = positive_pairs(ids, labels)
    unknown = torch.full((5,), -100)
    assert torch.equal(positive_pairs(ids, unknown), positive_pairs(ids))  # two unknown classes are not the same one
    assert with_class.int().tolist() == [
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0],
    ]


@law
@given(v=REGIONS, t=VECTORS, q=st.none() | VECTORS, order=st.permutations(range(P)))
def test_patch_order_does_not_matter(v, t, q, order):
    one, other = (region_similarity(each, t, q, 4.0) for each in (v, v[:, order]))
    assert torch.allclose(one, other, atol=1e-6)
    assert (one.abs() <= 1 + 1e-9).all()


def call(loss, v, t, q, ids, labels=None, scale=20.0):
    signals = {"regions": v, "text_vectors": t, "queries": q, "logit_scale": torch.tensor(scale), "text_ids": ids}
    return loss.forward(**signals) if labels is None else loss.forward(**signals, labels=labels)


@law
@given(v=REGIONS, t=VECTORS, q=VECTORS, ids=IDS, query=st.sampled_from(["text", "reasoner"]))
def test_without_attention_it_is_clip_on_the_mean_region(v, t, q, ids, query):
    plain = call(ClipInfoNCE(), v, t, q, ids)
    loss = RegionAlignment(RegionAlignment.Config(kappa=0.0, query=query))
    assert torch.allclose(call(loss, v, t, q, ids, ids), plain)


@law
@given(v=unit_vectors((B, 1, W)), t=VECTORS, q=VECTORS, ids=IDS)
def test_one_region_needs_no_attention(v, t, q, ids):
    loss = RegionAlignment(RegionAlignment.Config(kappa=30.0))
    assert torch.allclose(call(loss, v, t, q, ids, ids), call(ClipInfoNCE(), v, t, q, ids))


def test_attention_finds_the_region_that_matches():
    v = torch.eye(4, dtype=torch.float64).unsqueeze(0).expand(2, 4, 4)
    q = torch.eye(4, dtype=torch.float64)[[2, 0]]
    heat = region_attention(v, q, 10.0)
    assert torch.allclose(heat.sum(1), torch.ones(2, dtype=torch.float64))
    assert heat.argmax(1).tolist() == [2, 0]
    assert torch.allclose(region_attention(v, q, 0.0), torch.full((2, 4), 0.25, dtype=torch.float64))


def test_gradient_of_the_attention_points_to_the_better_region():
    """∂s/∂logit_r = a_r (v_r − u)·t up to the norm: positive exactly for regions that match better than the mixture."""
    random = torch.Generator().manual_seed(4)
    v = F.normalize(torch.randn(6, W, generator=random, dtype=torch.float64), dim=-1)
    t = F.normalize(torch.randn(W, generator=random, dtype=torch.float64), dim=-1)
    scores = torch.randn(6, generator=random, dtype=torch.float64, requires_grad=True)
    mixture = scores.softmax(0) @ v
    (gradient,) = torch.autograd.grad(mixture @ t, scores)
    assert torch.equal(gradient > 0, v @ t > mixture @ t)


TEXT = RegionAlignment(RegionAlignment.Config(query="text"))


@pytest.mark.parametrize("loss", [TEXT, ClipInfoNCE()], ids=lambda loss: loss.name)
def test_a_sample_without_a_description_is_left_out_even_when_it_is_nan(loss):
    random = torch.Generator().manual_seed(6)
    v = F.normalize(torch.randn(B, P, W, generator=random, dtype=torch.float64), dim=-1)
    t = F.normalize(torch.randn(B, W, generator=random, dtype=torch.float64), dim=-1)
    ids, labels = torch.tensor([0, 1, 1, -1]), torch.tensor([0, 1, 1, 2])
    extra = {"labels": labels} if loss.name == "region_alignment" else {}
    v[3], t[3] = math.nan, math.nan
    v.requires_grad_()
    value = call(loss, v, t, t, ids, **extra)
    short = {name: each[:3] for name, each in extra.items()}
    assert torch.allclose(value, call(loss, v[:3], t[:3], t[:3], ids[:3], **short))
    (gradient,) = torch.autograd.grad(value, v)
    assert not gradient[3].any()
    assert gradient[:3].isfinite().all()


def test_the_floor_is_that_of_the_last_batch():
    loss = RegionAlignment(RegionAlignment.Config(positives="class", query="text"))
    assert loss.floor() is None
    v, t = F.normalize(torch.ones(B, P, W), dim=-1), F.normalize(torch.ones(B, W), dim=-1)
    call(loss, v, t, t, torch.arange(B), torch.zeros(B, dtype=torch.long))
    assert loss.floor() == pytest.approx(math.log(B))


@pytest.mark.parametrize(("query", "reasoner_learns"), [("reasoner", True), ("text", False)])
def test_who_learns_from_it(query, reasoner_learns):
    random = torch.Generator().manual_seed(8)
    v = F.normalize(torch.randn(B, P, W, generator=random), dim=-1)
    t, q = (F.normalize(torch.randn(B, W, generator=random), dim=-1).requires_grad_() for _ in range(2))
    loss = RegionAlignment(RegionAlignment.Config(query=query))
    call(loss, v, t, q, torch.arange(B), torch.arange(B)).backward()
    assert t.grad.norm() > 0
    assert (q.grad is not None and bool(q.grad.norm() > 0)) == reasoner_learns


def test_reasoner_queries_that_are_the_texts_are_refused():
    v, t = F.normalize(torch.ones(B, P, W), dim=-1), F.normalize(torch.ones(B, W), dim=-1)
    with pytest.raises(ValueError, match="gives the texts as queries"):
        call(RegionAlignment(), v, t, t, torch.arange(B), torch.arange(B))
    call(RegionAlignment(RegionAlignment.Config(query="text")), v, t, t, torch.arange(B), torch.arange(B))
