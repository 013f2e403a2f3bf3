"""The laws of a frozen encoder. Each takes an encoder and some drawn images, and asserts."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from skinframe.components import Encoder
from skinframe.testing.law_and_check import Law, Suite
from skinframe.testing.option_variants import is_digest, tells_apart

Images = list[Image.Image]
TEXT = "text_embedding"
TEXTS = ("a dermoscopic image of melanoma with a blue-whitish veil", "an even brown nevus", "nothing")


def photographs() -> st.SearchStrategy[Images]:
    """Draw two to four RGB images of different sizes, wide and tall."""
    photograph = st.tuples(st.integers(24, 96), st.integers(24, 96), st.integers(0, 2**32 - 1)).map(_photograph)
    return st.lists(photograph, min_size=2, max_size=4)


def declared(encoder: Encoder, images: Images) -> None:
    """`images` gives what `provides` says of images: [B, *shape], float32, on the CPU, finite, without a gradient."""
    outputs = encoder.load("cpu").images(images)
    promised = {name: shape for name, shape in encoder.provides().items() if name != TEXT}
    assert set(outputs) == set(promised), f"gives {sorted(outputs)}, provides {sorted(promised)}"
    for name, shape in promised.items():
        expected = (len(images), *shape)
        assert outputs[name].shape == expected, f"'{name}' has shape {tuple(outputs[name].shape)}, not {expected}"
        _on_shelf(name, outputs[name])
        assert not outputs[name].requires_grad, f"'{name}' carries a gradient: the encoder is not frozen"


def repeatable(encoder: Encoder, images: Images) -> None:
    """Two loads give the same bits."""
    first, two = encoder.load("cpu").images(images), encoder.load("cpu").images(images)
    for name in first:
        assert torch.equal(first[name], two[name]), f"'{name}' differs between two loads"


def alone(encoder: Encoder, images: Images) -> None:
    """An image's features do not depend on its neighbours in the batch, or the cache would lie."""
    tower = encoder.load("cpu")
    together = tower.images(images)
    for index, image in enumerate(images):
        for name, single in tower.images([image]).items():
            assert _near(single[0], together[name][index]), f"'{name}' of image {index} changes in company"


def attentive(encoder: Encoder, images: Images) -> None:
    """Different images have different features; integers (the size of a grid of tokens) are geometry, not features."""
    white, black = Image.new("RGB", (64, 64), "white"), Image.new("RGB", (64, 64), "black")
    layouts = encoder.outputs()
    for name, both in encoder.load("cpu").images([white, black]).items():
        if layouts[name].dtype == "int":
            continue
        assert not _near(both[0], both[1]), f"'{name}' is the same for a white and a black image"


def pure(encoder: Encoder, images: Images) -> None:
    """The images are left as they were."""
    before = [image.tobytes() for image in images]
    encoder.load("cpu").images(images)
    assert before == [image.tobytes() for image in images], "an image was painted on"


def counted(encoder: Encoder, images: Images) -> None:
    """`calls` grows with every call, so that a test can prove that a cached epoch makes none."""
    tower = encoder.load("cpu")
    start = tower.calls
    tower.images(images)
    between = tower.calls
    tower.images(images)
    assert start < between < tower.calls, f"calls went {start}, {between}, {tower.calls}"


def texts(encoder: Encoder, images: Images) -> None:
    """Texts become unit vectors [B, D], each by itself, the same twice, and different for different texts."""
    tower = encoder.load("cpu")
    outputs = tower.texts(TEXTS)
    expected = (len(TEXTS), *encoder.provides()[TEXT])
    assert outputs.shape == expected, f"'{TEXT}' has shape {tuple(outputs.shape)}, not {expected}"
    _on_shelf(TEXT, outputs)
    assert torch.allclose(outputs.norm(dim=1), torch.ones(len(TEXTS)), atol=1e-4), f"lengths {outputs.norm(dim=1)}"
    assert torch.equal(outputs, tower.texts(TEXTS)), "the second call gives other vectors"
    assert _near(tower.texts(TEXTS[1:2])[0], outputs[1]), "a text's vector changes in company"
    assert not _near(outputs[0], outputs[1]), f"{TEXTS[0]!r} and {TEXTS[1]!r} have the same vector"


def digested(encoder: Encoder, images: Images) -> None:
    """`digest` is a hex string, the same for the same options, another where an option changes a feature."""
    is_digest(encoder.digest())
    assert encoder.digest() == type(encoder)(encoder.config).digest(), "two of the same options differ in it"
    tells_apart(encoder, lambda each: each.digest(), lambda each: _bytes(each, images[:1]))


def _sees(encoder: Encoder) -> bool:
    return set(encoder.provides()) != {TEXT}


def _reads(encoder: Encoder) -> bool:
    return TEXT in encoder.provides()


ENCODER = Suite(
    "encoder",
    (
        *(Law(law, applies=_sees) for law in (declared, repeatable, alone, attentive, pure, counted)),
        Law(texts, applies=_reads),
        Law(digested, share=0.5),
    ),
    lambda encoder, law: photographs(),
    examples=3,
)


def _bytes(encoder: Encoder, images: Images) -> list[tuple[str, bytes]]:
    tower = encoder.load("cpu")
    outputs = tower.images(images) if _sees(encoder) else {}
    outputs |= {TEXT: tower.texts(TEXTS)} if _reads(encoder) else {}
    return [(name, tensor.numpy().tobytes()) for name, tensor in sorted(outputs.items())]


def _on_shelf(name: str, tensor: Tensor) -> None:
    """What the cache keeps: float32, on the CPU, finite."""
    assert tensor.dtype == torch.float32, f"'{name}' is {tensor.dtype}, not float32"
    assert tensor.device.type == "cpu", f"'{name}' is on {tensor.device}"
    assert torch.isfinite(tensor).all(), f"'{name}' is not finite"


def _near(first: Tensor, other: Tensor) -> bool:
    return bool((first - other).abs().max() <= 1e-4 * max(1.0, float(first.abs().max())))


def _photograph(drawn: tuple[int, int, int]) -> Image.Image:
    width, height, seed = drawn
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)
