"""timm in training: a module from augmented pixels to signals, its frozen parts, its batch statistics, its seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from skinframe_clip import Timm

from skinframe.components import BuildContext
from skinframe.features.image_sources import LiveFeatures, PixelSource
from skinframe.model.trained_encoder import TrainedEncoder

SMALL = {"architecture": "mobilenetv2_100", "image_size": 32}


def encoder(**options: Any) -> Timm:
    return Timm(Timm.Config(**{**SMALL, "trained": True, **options}))


def built(component: Timm, seed: int = 7) -> TrainedEncoder:
    module = component.build(BuildContext(classes=("a", "b"), shapes={}, seed=seed))
    return TrainedEncoder(module, component.frozen_parts())


def image(row: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(row).integers(0, 256, (40, 56, 3), np.uint8))


def source(component: Timm, seed: int = 3) -> PixelSource:
    return PixelSource(component, [f"s{row}" for row in range(6)], image, seed)


def buffers(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: buffer.clone() for name, buffer in module.named_buffers()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_it_gives_the_declared_signals_and_every_weight_learns():
    component = encoder()
    module = built(component).train()
    signals = module(source(component).get(range(4), [0] * 4, epoch=0))
    assert {name: tuple(value.shape[1:]) for name, value in signals.items()} == dict(component.provides())
    (signals["image_embedding"].square().sum() + signals["image_tokens"].square().sum()).backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_it_computes_what_the_frozen_encoder_with_the_same_weights_does(tmp_path):
    module, weights = built(encoder()).eval(), str(tmp_path / "w.safetensors")
    save_file({name.removeprefix("model."): value for name, value in module.trained_state().items()}, weights)
    frozen = Timm(Timm.Config(**SMALL, weights=weights))
    live = LiveFeatures(lambda: frozen.load("cpu"), image).get([0, 3], [0, 5], ["image_embedding"])
    with torch.no_grad():
        trained = module(source(encoder(weights=weights)).get([0, 3], [0, 5], None))
    torch.testing.assert_close(live["image_embedding"], trained["image_embedding"], rtol=2e-3, atol=2e-3)  # float16
    assert (frozen.mode, encoder().mode) == ("cached", "trained")


def test_pixels_depend_on_seed_epoch_and_sample_and_on_no_batch():
    component = encoder(crop=0.4, colour=0.2)
    pixels = source(component).get([1, 2, 3], [0, 0, 0], epoch=4)
    assert torch.equal(source(component).get([3], [0], epoch=4)[0], pixels[2])
    assert not torch.equal(source(component).get([3], [0], epoch=5)[0], pixels[2])
    assert not torch.equal(source(component, seed=4).get([3], [0], epoch=4)[0], pixels[2])


def test_evaluation_shows_the_image_without_augmentation():
    plain, strong = (source(encoder(crop=crop)).get([2], [0], None) for crop in (1.0, 0.2))
    assert torch.equal(plain, strong)
    assert not torch.equal(strong, source(encoder(crop=0.2)).get([2], [0], 0))


def test_the_seed_of_the_encoder_alone_decides_its_first_weights():
    torch.manual_seed(1)
    first = built(encoder()).trained_state()
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(1))  # the seeds of others are not used up
    assert same(first, built(encoder()).trained_state())
    assert not same(first, built(encoder(), seed=8).trained_state())


def test_batch_statistics_move_with_gradients_only():
    module = built(encoder()).train()
    pixels = source(encoder()).get(range(4), [0] * 4, 0)
    start = buffers(module)
    with torch.no_grad():
        without = module(pixels)
    assert same(start, buffers(module))
    torch.testing.assert_close(module(pixels)["image_embedding"], without["image_embedding"])
    assert not same(start, buffers(module))


def test_frozen_parts_keep_weights_and_statistics():
    component = encoder(freeze=("conv_stem", "bn1", "blocks.0"))
    module = built(component).train()
    frozen = [module.module.model.bn1, module.module.model.blocks[0]]
    start = [{**part.state_dict()} for part in frozen]
    start = [{name: value.clone() for name, value in part.items()} for part in start]
    optimiser = torch.optim.SGD([p for p in module.parameters() if p.requires_grad], lr=0.1)
    module(source(component).get(range(4), [0] * 4, 0))["image_embedding"].square().sum().backward()
    optimiser.step()
    assert all(same(before, part.state_dict()) for before, part in zip(start, frozen, strict=True))
    assert not any(part.training for part in frozen)
    assert "model.conv_stem" not in module.parts
    assert "model.blocks" in module.parts  # its other blocks train


def test_a_stage_that_does_not_train_the_encoder_moves_no_statistics():
    module = built(encoder()).train()
    pixels, start = source(encoder()).get(range(4), [0] * 4, 0), buffers(module)
    module.requires_grad_(False)
    module(pixels)
    assert same(start, buffers(module))
    module.requires_grad_(True)
    module(pixels)
    assert not same(start, buffers(module))


def test_a_checkpoint_restores_weights_and_statistics():
    module = built(encoder()).train()
    module(source(encoder()).get(range(4), [0] * 4, 0))
    other = built(encoder(), seed=8)
    other.load_trained_state(module.trained_state())
    assert same(module.trained_state(), other.trained_state())
    with pytest.raises(RuntimeError, match="Missing key"):
        other.load_trained_state({})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trained": False, "weights": "w", "freeze": ("bn1",)}, "unless the encoder is trained"),
        ({"trained": False, "weights": "w", "crop": 0.5}, "unless the encoder is trained"),
        ({"crop": 0.0}, "crop must be in"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        encoder(**options)


def test_a_misspelt_part_to_freeze_is_named():
    with pytest.raises(ValueError, match=r"no submodule 'conv_sten'.*did you mean 'conv_stem'"):
        built(encoder(freeze=("conv_sten",)))


def test_the_plan_counts_it_as_trained_and_digests_tell_the_options_apart():
    (row,) = encoder().modules()
    assert row.role == "trained"
    assert row.parameters == sum(parameter.numel() for parameter in built(encoder()).parameters())
    digests = [encoder(**options).digest() for options in ({}, {"crop": 0.5}, {"freeze": ("bn1",)})]
    assert len(set(digests)) == 3
