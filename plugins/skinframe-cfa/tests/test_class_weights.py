"""Class weights: limits, normalisations, and the empty class."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.classification.class_weights import (
    check_scheme,
    class_weights,
    derived_weights,
    sample_weights,
    seen_counts,
)

# training images of the eight classes of ISIC 2019
ISIC2019 = torch.tensor([4522, 12875, 3323, 867, 2624, 239, 253, 628])
COUNTS = st.lists(st.integers(1, 100_000), min_size=2, max_size=9).map(torch.tensor)


@settings(deadline=None, derandomize=True)
@given(counts=COUNTS)
def test_normalisations(counts):
    K, N = len(counts), counts.sum().item()
    assert class_weights(counts, "none").tolist() == [1.0] * K
    assert (class_weights(counts, "inverse") * counts).sum().item() == pytest.approx(N)
    assert (class_weights(counts, "sqrt").square() * counts).sum().item() == pytest.approx(N)
    assert class_weights(counts, "effective_number").sum().item() == pytest.approx(K)


@settings(deadline=None, derandomize=True)
@given(counts=COUNTS)
def test_effective_number_goes_from_uniform_to_inverse(counts):
    assert torch.equal(class_weights(counts, "effective_number", beta=0.0), torch.ones(len(counts)).double())
    near_one = class_weights(counts, "effective_number", beta=1 - 1e-12)
    inverse = 1 / counts.double()
    assert torch.allclose(near_one, inverse * (len(counts) / inverse.sum()), rtol=1e-6)


@settings(deadline=None, derandomize=True)
@given(counts=COUNTS, scheme=st.sampled_from(["inverse", "sqrt", "effective_number"]))
def test_a_rarer_class_never_weighs_less(counts, scheme):
    weights = class_weights(counts, scheme)[counts.argsort()]
    assert (weights.diff() <= 1e-12).all()


@pytest.mark.parametrize(("beta", "low", "high"), [(0.99, 0.98, 1.07), (0.999, 0.47, 2.2), (0.9999, 0.09, 2.8)])
def test_spread_on_isic_2019(beta, low, high):
    weights = class_weights(ISIC2019, "effective_number", beta)
    assert weights.min().item() == pytest.approx(low, abs=0.01)
    assert weights.max().item() == pytest.approx(high, abs=0.05)


def test_by_hand():
    counts = torch.tensor([1, 3])
    assert class_weights(counts, "inverse").tolist() == pytest.approx([2.0, 2 / 3])
    # beta 1/2: 1/(1 - 1/2) and 1/(1 - 1/8), up to a factor: 2 and 8/7, scaled to sum 2
    assert class_weights(counts, "effective_number", 0.5).tolist() == pytest.approx([14 / 11, 8 / 11])


@pytest.mark.parametrize("scheme", ["inverse", "sqrt", "effective_number"])
def test_an_empty_class_is_an_error_that_names_it(scheme):
    with pytest.raises(ValueError, match=r"no training sample of class 1, 3"):
        class_weights(torch.tensor([5, 0, 2, 0]), scheme)


def test_missing_counts_are_an_error():
    with pytest.raises(ValueError, match="needs the signal class_counts"):
        sample_weights(None, torch.tensor([0]), "inverse", 0.99)
    assert sample_weights(None, torch.tensor([0]), "none", 0.99) is None


def test_options_are_checked():
    for scheme in ("none", "inverse", "sqrt", "effective_number"):
        check_scheme(scheme, 0.0)
    with pytest.raises(ValueError, match=r"^class_weights must be one of none, inverse, sqrt, eff.*, got 'rare'"):
        check_scheme("rare", 0.5)
    for beta in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match=r"^beta must be in \[0, 1\), got"):
            check_scheme("none", beta)


def test_each_sample_gets_the_weight_of_its_class():
    counts, labels = torch.tensor([1, 3]), torch.tensor([1, 0, -100])
    assert sample_weights(counts, labels, "inverse", 0.5).tolist() == pytest.approx([2 / 3, 2.0, 2.0])
    assert sample_weights(counts, labels, "effective_number", 0.5).tolist() == pytest.approx([8 / 11, 14 / 11, 14 / 11])


def test_what_a_term_shows_of_its_weights():
    assert derived_weights([1, 3], "none", 0.5) == {}
    assert derived_weights([1, 3], "sqrt", 0.5) == {"class weight": pytest.approx([2.0**0.5, (2 / 3) ** 0.5])}
    assert derived_weights([1, 3], "effective_number", 0.5) == {"class weight": pytest.approx([14 / 11, 8 / 11])}


def test_counts_that_are_refused_name_the_option():
    assert seen_counts(torch.tensor([1, 2]), "tau").dtype == torch.float64
    with pytest.raises(ValueError, match=r"^margin: no training sample of class 0, 2, so"):
        seen_counts(torch.tensor([0, 5, 0]), "margin")
