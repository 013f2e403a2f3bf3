import math

import pytest
import skinframe_example
import torch
from PIL import Image
from skinframe_example import MeanColour, SmoothedCrossEntropy

from skinframe.testing import encoder_contract, loss_contract

Config = SmoothedCrossEntropy.Config


@loss_contract(
    SmoothedCrossEntropy(Config()),
    SmoothedCrossEntropy(Config(smoothing=0.5)),
)
def test_loss_contract(loss, check):
    check(loss)


@encoder_contract(MeanColour(), MeanColour(MeanColour.Config(grid=3)))
def test_encoder_contract(encoder, check):
    check(encoder)


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"smoothing must be in \[0, 1\), got 1"):
        Config(smoothing=1.0)
    with pytest.raises(ValueError, match="grid must be in"):
        MeanColour.Config(grid=0)


def test_both_are_registered():
    assert skinframe_example.register_losses() == [SmoothedCrossEntropy]
    assert skinframe_example.register_encoders() == [MeanColour]


def test_mean_colour_sees_colour_and_place():
    image = Image.new("RGB", (64, 64), (255, 0, 0))
    image.paste((0, 0, 255), (0, 32, 64, 64))
    found = MeanColour(MeanColour.Config(grid=2)).load("cpu").images([image])
    top, bottom = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    assert found["image_tokens"][0].tolist() == [top, top, bottom, bottom]
    assert found["image_embedding"][0].tolist() == [0.5, 0.0, 0.5, 0.0, 0.0, 0.0]


def test_smoothing_by_hand():
    logits, labels = torch.tensor([[0.0, 0.0]]), torch.tensor([1])
    assert SmoothedCrossEntropy(Config(smoothing=0.4)).forward(logits, labels).item() == pytest.approx(math.log(2))
    logits = torch.tensor([[0.0, math.log(3.0)]])  # p = 1/4, 3/4; targets 0.2, 0.8
    expected = -(0.2 * math.log(0.25) + 0.8 * math.log(0.75))
    assert SmoothedCrossEntropy(Config(smoothing=0.4)).forward(logits, labels).item() == pytest.approx(expected)
