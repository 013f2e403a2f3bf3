"""Augmentation: the seed decides, the limits hold, and the default changes nothing."""

import numpy as np
import pytest
from PIL import Image

from skinframe.data.augmentation import Augmentation


def picture(width=60, height=40):
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others():
    strong = Augmentation(crop=0.3, colour=0.4)
    first, again, other = (np.asarray(strong.apply(picture(), seed).resize((32, 32))) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_default_changes_nothing():
    assert np.array_equal(np.asarray(Augmentation().apply(picture(), 3)), np.asarray(picture()))


@pytest.mark.parametrize("size", [(60, 40), (16, 300), (33, 33)])
def test_a_crop_keeps_its_share_of_the_area(size):
    whole = size[0] * size[1]
    for seed in range(50):
        width, height = Augmentation(crop=0.5).apply(picture(*size), seed).size
        rounding = width + height
        assert 0.5 * whole - rounding <= width * height <= whole


def test_colour_alone_keeps_every_pixel_in_its_place():
    changed = Augmentation(colour=0.3).apply(picture(), 2)
    assert changed.size == (60, 40)
    assert not np.array_equal(np.asarray(changed), np.asarray(picture()))


@pytest.mark.parametrize(("option", "value"), [("crop", 0.0), ("crop", 1.1), ("colour", -0.1), ("colour", 1.0)])
def test_options_out_of_range_are_refused(option, value):
    with pytest.raises(ValueError, match=f"{option} must be in"):
        Augmentation(**{option: value})
