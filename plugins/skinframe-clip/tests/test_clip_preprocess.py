"""Our PIL-only preprocessing is open_clip's evaluation transform, bit for bit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skinframe_clip.image_preprocessing import Preprocess


@settings(deadline=None, derandomize=True, max_examples=80)
@given(
    width=st.integers(8, 260),
    height=st.integers(8, 260),
    size=st.sampled_from([32, 75, 128]),
    fit=st.sampled_from(["shortest", "longest", "squash"]),
    interpolation=st.sampled_from(["bicubic", "bilinear"]),
)
def test_same_pixels_as_open_clip(width, height, size, fit, interpolation):
    from open_clip.transform import PreprocessCfg, image_transform_v2

    pixels = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    ours = Preprocess(size=size, fit=fit, interpolation=interpolation)
    theirs = PreprocessCfg(
        size=size, mean=ours.mean, std=ours.std, interpolation=ours.interpolation, resize_mode=ours.fit
    )
    image = Image.fromarray(pixels)
    assert torch.equal(ours.transform()(image), image_transform_v2(theirs, is_train=False)(image))


def test_letterbox_is_black_and_keeps_every_column():
    white = Image.new("RGB", (200, 150), "white")
    seen = np.asarray(Preprocess(size=100, fit="longest").square(white))
    assert seen.shape == (100, 100, 3)
    assert seen[:12].max() == 0
    assert seen[14:86].min() == 255


@pytest.mark.parametrize(
    "options",
    [{"size": 0}, {"fit": "stretch"}, {"interpolation": "nearest"}, {"std": (1.0, 0.0, 1.0)}, {"mean": (0.5,)}],
)
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=r"must be|need three"):
        Preprocess(**options)
