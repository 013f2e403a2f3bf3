"""Every encoder of this plugin keeps the encoder's contract."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from skinframe_clip import HashedText, OpenClip, Timm

from skinframe.testing import encoder_contract


@encoder_contract(OpenClip(), OpenClip(OpenClip.Config(grid=4)), HashedText(), HashedText(HashedText.Config(width=64)))
def test_encoders(encoder, check):
    check(encoder)


@pytest.fixture(scope="module")
def convolutional(tmp_path_factory):
    """timm's MobileNetV2 with random weights."""
    import timm

    path = tmp_path_factory.mktemp("timm") / "w.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_file(timm.create_model("mobilenetv2_100", num_classes=2).state_dict(), path)
    return Timm(Timm.Config(weights=str(path), architecture="mobilenetv2_100", image_size=64))


@encoder_contract()
def test_convolutional_encoder(check, convolutional):
    check(convolutional)
