"""The mask term: the obvious loop, 0 exactly inside, who counts."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.alignment.region_alignment import region_attention
from skinframe_cfa.alignment.region_mask import RegionMask, region_mask
from slow_maths import dot, mean, softmax

from skinframe.testing import loss_contract, tensors, unit_vectors

law = settings(deadline=None, derandomize=True, max_examples=50)
B, P, W = 3, 4, 3
REGIONS, QUERIES = unit_vectors((B, P, W)), unit_vectors((B, W))
COVER = tensors((B, P), 0, 1).map(lambda drawn: torch.cat([drawn[:, :-1], torch.ones(B, 1).double()], dim=1))


def some_lesion(shape, _):
    """Draw covers with some lesion in each image: the engine counts images that show some."""
    return tensors(shape, 0, 1).map(lambda drawn: torch.cat([drawn[:, :-1], torch.ones_like(drawn[:, :1])], dim=1))


@loss_contract(
    RegionMask(),
    RegionMask(RegionMask.Config(kappa=1.0)),
    signals={name: lambda shape, _: unit_vectors(shape) for name in ("regions", "queries")}
    | {"lesion_cover": some_lesion},
)
def test_contract(loss, check):
    check(loss)


@law
@given(v=REGIONS, q=QUERIES, cover=COVER, kappa=st.floats(0, 20))
def test_the_value_is_the_obvious_loop(v, q, cover, kappa):
    expected = []
    for regions, query, share in zip(v.tolist(), q.tolist(), cover.tolist(), strict=True):
        expected.append(-math.log(dot(softmax([kappa * dot(region, query) for region in regions]), share)))
    found = region_mask(v, q, cover, kappa)
    assert found.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-12)
    inside = (region_attention(v, q, kappa) * cover).sum(1)
    assert torch.allclose(found, -inside.log())
    assert (found >= -1e-12).all()
    value = RegionMask(RegionMask.Config(kappa=kappa)).forward(v, q, cover)
    assert value.item() == pytest.approx(mean(expected), rel=1e-9, abs=1e-12)


@law
@given(v=REGIONS, q=QUERIES)
def test_a_lesion_that_fills_the_image_costs_nothing(v, q):
    assert torch.equal(region_mask(v, q, torch.ones(B, P), 10.0), torch.zeros(B, dtype=torch.float64))


def test_by_hand():
    v = torch.eye(2, dtype=torch.float64).unsqueeze(0)
    q = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    kappa = math.log(3.0)  # attention 3/4, 1/4
    assert region_mask(v, q, torch.tensor([[1.0, 0.0]]), kappa).item() == pytest.approx(-math.log(0.75))
    assert region_mask(v, q, torch.tensor([[0.5, 0.0]]), kappa).item() == pytest.approx(-math.log(0.375))
    assert region_mask(v, q, torch.tensor([[0.0, 1.0]]), kappa).item() == pytest.approx(-math.log(0.25))


def test_images_without_a_mask_or_a_visible_lesion_do_not_count():
    v = torch.eye(2).expand(4, 2, 2).clone()
    q = torch.tensor([[1.0, 0.0]]).expand(4, 2).clone()
    q[1], v[2] = math.nan, math.nan
    cover = torch.tensor([[1.0, 0.0], [math.nan, math.nan], [0.0, 0.0], [0.0, 1.0]])
    v.requires_grad_()
    value = RegionMask(RegionMask.Config(kappa=math.log(3.0))).forward(v, q, cover)
    assert value.item() == pytest.approx(-(math.log(0.75) + math.log(0.25)) / 2)
    (slope,) = torch.autograd.grad(value, v)
    assert slope.isfinite().all()
    assert [bool(each.any()) for each in slope] == [True, False, False, True]


@pytest.mark.parametrize("cover", [math.nan, 0.0])
def test_no_mask_at_all_gives_zero_with_a_zero_gradient(cover):
    v = torch.ones(2, 3, 2, requires_grad=True)
    value = RegionMask().forward(v, torch.ones(2, 2), torch.full((2, 3), cover))
    assert value == 0
    assert not torch.autograd.grad(value, v)[0].any()


def test_precision_is_float32_at_least():
    half = RegionMask().forward(torch.ones(1, 2, 2).bfloat16(), torch.ones(1, 2).bfloat16(), torch.ones(1, 2))
    assert half.dtype == torch.float32


@pytest.mark.parametrize("kappa", [-0.1, math.inf, math.nan])
def test_a_kappa_out_of_range_is_refused(kappa):
    with pytest.raises(ValueError, match=r"^kappa must be a finite number >= 0, got"):
        RegionMask.Config(kappa=kappa)


def test_what_it_is_called():
    assert (RegionMask.name, RegionMask.coupling) == ("region_mask", "per_sample")
    assert RegionMask.normalise_by == "lesion_cover"
    assert RegionMask.Config().kappa == 10.0
    assert RegionMask.Config(kappa=0.0).kappa == 0
