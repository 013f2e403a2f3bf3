"""Lift is 1 at chance, and the mask is shared out among patches exactly."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.evaluation.grounding import centre_blob, mask_lift, patch_cover


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 9), columns=st.integers(1, 9))
def test_even_heat_is_at_chance(seed, rows, columns):
    mask = np.random.default_rng(seed).random((13, 17)) < 0.4
    mask[0, 0] = True
    found = mask_lift(np.ones(rows * columns), mask, (rows, columns))
    assert found.lift == pytest.approx(1.0)
    assert found.area == pytest.approx(mask.mean())


def test_all_heat_on_the_mask_gives_one_over_its_area():
    mask = np.zeros((32, 32), dtype=bool)
    mask[:8, :8] = True
    heat = np.zeros((4, 4))
    heat[0, 0] = 3.0
    found = mask_lift(heat.ravel(), mask)
    assert (found.share, found.area, found.lift) == pytest.approx((1.0, 1 / 16, 16.0))
    assert found.centre_lift < 0.5


def test_patches_are_rows_first_and_partly_covered_ones_count_in_part():
    mask = np.zeros((6, 9), dtype=bool)
    mask[:3, 8] = True
    np.testing.assert_allclose(patch_cover(mask, 2, 4), [[0, 0, 0, 1 / 2.25], [0, 0, 0, 0]], atol=1e-12)


def test_a_centred_mask_is_found_by_the_centre_blob_too():
    y, x = np.mgrid[:64, :64]
    mask = (y - 32) ** 2 + (x - 32) ** 2 < 200
    found = mask_lift(centre_blob(8, 8).ravel(), mask)
    assert found.lift == pytest.approx(found.centre_lift)
    assert found.lift > 1.5


def test_no_heat_or_no_mask_is_undefined():
    assert math.isnan(mask_lift(np.zeros(4), np.ones((4, 4), dtype=bool)).lift)
    assert math.isnan(mask_lift(np.ones(4), np.zeros((4, 4), dtype=bool)).lift)


def test_heat_must_fill_its_grid_and_not_be_negative():
    with pytest.raises(ValueError, match="5 patches do not fill a grid of 2 x 2"):
        mask_lift(np.ones(5), np.ones((4, 4), dtype=bool))
    with pytest.raises(ValueError, match="must not be negative"):
        mask_lift(np.array([1.0, -1.0, 0.0, np.nan]), np.ones((4, 4), dtype=bool))
