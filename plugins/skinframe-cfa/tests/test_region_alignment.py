"""Region alignment: against the obvious loops, and in the limits."""

from __future__ import annotations

import math

import pytest
import slow_maths
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.alignment.clip_infonce import ClipInfoNCE
from skinframe_cfa.alignment.region_alignment import RegionAlignment, region_attention, region_similarity
from torch.nn import functional as F

from skinframe.testing import integers, unit_vectors

law = settings(deadline=None, derandomize=True, max_examples=50)
B, P, W = 4, 3, 5
REGIONS, VECTORS = unit_vectors((B, P, W)), unit_vectors((B, W))
IDS = integers((B,), 0, 3)


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


@pytest.mark.parametrize("query", ["text", "reasoner"])
def test_similarity_is_the_obvious_loop(query):
    random = torch.Generator().manual_seed(2)
    v = F.normalize(torch.randn(B, P, W, generator=random, dtype=torch.float64), dim=-1)
    t, q = F.normalize(torch.randn(2, B, W, generator=random, dtype=torch.float64), dim=-1)
    q = q if query == "reasoner" else None
    expected = slow_similarity(v.tolist(), t.tolist(), None if q is None else q.tolist(), 3.0)
    assert torch.allclose(region_similarity(v, t, q, 3.0), torch.tensor(expected, dtype=torch.float64))


@law
@given(v=REGIONS, t=VECTORS, q=st.none() | VECTORS, order=st.permutations(range(P)))
def test_patch_order_does_not_matter(v, t, q, order):
    one, other = (region_similarity(each, t, q, 4.0) for each in (v, v[:, order]))
    assert torch.allclose(one, other, atol=1e-6)
    assert (one.abs() <= 1 + 1e-9).all()


def call(loss, v, t, q, ids, labels, scale=20.0, **more):
    signals = {"regions": v, "text_vectors": t, "queries": q, "logit_scale": torch.tensor(scale), "text_ids": ids}
    return loss.forward(**signals, labels=labels, **more)


@law
@given(v=REGIONS, t=VECTORS, q=VECTORS, ids=IDS, query=st.sampled_from(["text", "reasoner"]))
def test_without_attention_it_is_clip_on_the_mean_region(v, t, q, ids, query):
    plain = call(ClipInfoNCE(), v, t, q, ids, ids)
    loss = RegionAlignment(RegionAlignment.Config(kappa=0.0, query=query))
    assert torch.allclose(call(loss, v, t, q, ids, ids), plain)


@law
@given(v=unit_vectors((B, 1, W)), t=VECTORS, q=VECTORS, ids=IDS)
def test_one_region_needs_no_attention(v, t, q, ids):
    loss = RegionAlignment(RegionAlignment.Config(kappa=30.0))
    assert torch.allclose(call(loss, v, t, q, ids, ids), call(ClipInfoNCE(), v, t, q, ids, ids))


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


def test_a_sample_without_a_description_is_left_out_even_when_it_is_nan():
    random = torch.Generator().manual_seed(6)
    v = F.normalize(torch.randn(B, P, W, generator=random, dtype=torch.float64), dim=-1)
    t = F.normalize(torch.randn(B, W, generator=random, dtype=torch.float64), dim=-1)
    ids, labels = torch.tensor([0, 1, 1, -1]), torch.tensor([0, 1, 1, 2])
    v[3], t[3] = math.nan, math.nan
    v.requires_grad_()
    value = call(TEXT, v, t, t, ids, labels)
    assert torch.allclose(value, call(TEXT, v[:3], t[:3], t[:3], ids[:3], labels[:3]))
    (gradient,) = torch.autograd.grad(value, v)
    assert not gradient[3].any()
    assert gradient[:3].isfinite().all()


def test_the_floor_is_that_of_the_last_batch():
    loss = RegionAlignment(RegionAlignment.Config(positives="class", query="text"))
    assert loss.floor() is None
    v, t = F.normalize(torch.ones(B, P, W), dim=-1), F.normalize(torch.ones(B, W), dim=-1)
    call(loss, v, t, t, torch.arange(B), torch.zeros(B, dtype=torch.long))
    assert loss.floor() == pytest.approx(math.log(B))
    assert loss.notes() == {"scale": 20.0, "scale_clamped": 0.0}


@pytest.mark.parametrize("kind", ["text", "class", "class_and_site"])
def test_the_positive_set_is_an_option(kind):
    random = torch.Generator().manual_seed(12)
    v = F.normalize(torch.randn(B, P, W, generator=random, dtype=torch.float64), dim=-1)
    t, q = F.normalize(torch.randn(2, B, W, generator=random, dtype=torch.float64), dim=-1)
    ids, labels, sites = torch.arange(B), torch.tensor([0, 0, 0, 1]), torch.tensor([1, 1, 2, 2])
    same = {"text": ids, "class": labels, "class_and_site": 3 * labels + sites}[kind].tolist()
    positives = [[a == b for b in same] for a in same]
    scores = [[20 * x for x in row] for row in slow_similarity(v.tolist(), t.tolist(), q.tolist(), 10.0)]
    loss = RegionAlignment(RegionAlignment.Config(positives=kind))
    value = call(loss, v, t, q, ids, labels, site_ids=sites)
    assert value.item() == pytest.approx(slow_maths.multi_positive(scores, positives))


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


WRONG = [
    ({"kappa": -1.0}, r"^kappa must be a finite number >= 0, got -1.0"),
    ({"kappa": math.inf}, "^kappa must be"),
    ({"positives": "identity"}, "^positives must be"),
    ({"query": "image"}, "^query must be text or reasoner, got 'image'"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RegionAlignment.Config(**options)


def test_what_it_is_called():
    found = (RegionAlignment.name, RegionAlignment.coupling, RegionAlignment.normalise_by)
    assert found == ("region_alignment", "batch", "text_ids")
    assert RegionAlignment.Config() == RegionAlignment.Config(kappa=10.0, positives="text", query="reasoner")
    assert RegionAlignment.Config(kappa=0.0, query="text").kappa == 0
