"""The laws of a frozen encoder. Each takes an encoder and some drawn images, and asserts."""

from __future__ import annotations

import string
from collections.abc import Callable

import numpy as np
import torch
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from skinframe.components import Encoder

Images = list[Image.Image]


def photographs() -> st.SearchStrategy[Images]:
    """Draw two to four RGB images of different sizes, wide and tall."""
    one = st.tuples(st.integers(24, 96), st.integers(24, 96), st.integers(0, 2**32 - 1)).map(_photograph)
    return st.lists(one, min_size=2, max_size=4)


def declared(encoder: Encoder, images: Images) -> None:
    """`images` gives what `provides` says of images: [B, *shape], float32, on the CPU, finite, without a gradient."""
    found = encoder.load("cpu").images(images)
    promised = {name: shape for name, shape in encoder.provides().items() if name != "text_embedding"}
    assert set(found) == set(promised)
    for name, shape in promised.items():
        assert found[name].shape == (len(images), *shape), name
        assert found[name].dtype == torch.float32, name
        assert found[name].device.type == "cpu", name
        assert torch.isfinite(found[name]).all(), name
        assert not found[name].requires_grad, f"'{name}' carries a gradient: the encoder is not frozen"


def repeatable(encoder: Encoder, images: Images) -> None:
    """Two loads give the same bits."""
    one, two = encoder.load("cpu").images(images), encoder.load("cpu").images(images)
    for name in one:
        assert torch.equal(one[name], two[name]), name


def alone(encoder: Encoder, images: Images) -> None:
    """An image's features do not depend on its neighbours in the batch, or the cache would lie."""
    tower = encoder.load("cpu")
    together = tower.images(images)
    for index, image in enumerate(images):
        for name, single in tower.images([image]).items():
            assert _near(single[0], together[name][index]), f"'{name}' of image {index} changes in company"


def attentive(encoder: Encoder, images: Images) -> None:
    """Different images have different features."""
    white, black = Image.new("RGB", (64, 64), "white"), Image.new("RGB", (64, 64), "black")
    for name, both in encoder.load("cpu").images([white, black]).items():
        assert not _near(both[0], both[1]), f"'{name}' is the same for a white and a black image"


def pure(encoder: Encoder, images: Images) -> None:
    """The images are left as they were."""
    before = [image.tobytes() for image in images]
    encoder.load("cpu").images(images)
    assert before == [image.tobytes() for image in images]


def counted(encoder: Encoder, images: Images) -> None:
    """`calls` grows with every call, so that a test can prove that a cached epoch makes none."""
    tower = encoder.load("cpu")
    start = tower.calls
    tower.images(images)
    between = tower.calls
    tower.images(images)
    assert start < between < tower.calls, f"calls went {start}, {between}, {tower.calls}"


def digested(encoder: Encoder, images: Images) -> None:
    """`digest` is a hex string of at least 128 bits, the same for the same options."""
    digest = encoder.digest()
    assert len(digest) >= 32, digest
    assert set(digest) <= set(string.hexdigits), digest
    assert digest == type(encoder)(encoder.config).digest()


LAWS: tuple[Callable[[Encoder, Images], None], ...] = (declared, repeatable, alone, attentive, pure, counted, digested)


def _near(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() <= 1e-4 * max(1.0, float(one.abs().max())))


def _photograph(drawn: tuple[int, int, int]) -> Image.Image:
    width, height, seed = drawn
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)
