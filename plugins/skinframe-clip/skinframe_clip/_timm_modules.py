"""timm models: the frozen tower, the module in training, and their weights. Imported only when a model is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from skinframe import DataError, Tower
from skinframe_clip.image_preprocessing import pool_grid

if TYPE_CHECKING:
    from PIL.Image import Image


# Convolutions on a CPU: a few images at a time in channels-last order stay in its cache (measured 1.5 times faster
# than 32 at once in the default order, EfficientNet-Lite0 at 160 pixels, one thread).
CPU_SLICE = 8
CLASSIFIER = ("classifier.", "fc.")

# torchvision's names of MobileNetV2's layers become timm's: the same network. Block depths of its table 2 (Sandler et
# al. 2018, arXiv:1801.04381).
DEPTHS = (1, 2, 3, 4, 3, 3, 1)
FIRST = {"0.0": "conv_dw", "0.1": "bn1", "1": "conv_pw", "2": "bn2"}  # the first block has no expansion
OTHER = {"0.0": "conv_pw", "0.1": "bn1", "1.0": "conv_dw", "1.1": "bn2", "2": "conv_pwl", "3": "bn3"}
KEY = re.compile(r"features\.(\d+)(?:\.conv)?\.((?:\d+\.)*\d+)\.(\w+)")


class VisionTower(Tower):
    """A timm model in evaluation mode, without its classifier."""

    def __init__(self, model: nn.Module, transform: Callable[[Image], Tensor], grid: int | None, device: str) -> None:
        self.model: Any = model
        self.transform = transform
        self.grid = grid
        self.device = device

    @torch.inference_mode()
    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        """Encode RGB images: `image_tokens` [B, P, V] and `image_embedding` [B, V], float32 on the CPU."""
        self.calls += 1
        pixels = torch.stack([self.transform(image) for image in images]).to(self.device)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        parts = torch.split(pixels, CPU_SLICE) if pixels.device.type == "cpu" else (pixels,)
        features = torch.cat([self.model.forward_features(part) for part in parts])
        return {"image_tokens": pool_grid(features, self.grid).cpu(), "image_embedding": features.mean((2, 3)).cpu()}


class VisionModule(nn.Module):
    """A timm model in training, without its classifier: pixels [B, 3, H, W] -> `image_tokens` and `image_embedding`."""

    def __init__(self, model: nn.Module, grid: int | None) -> None:
        super().__init__()
        self.model: Any = model
        self.grid = grid

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        features = self.model.forward_features(pixels.contiguous(memory_format=torch.channels_last))
        return {"image_tokens": pool_grid(features, self.grid), "image_embedding": features.mean((2, 3))}


def load(
    path: Path, architecture: str, transform: Callable[[Image], Tensor], grid: int | None, device: str
) -> VisionTower:
    """Read a frozen tower from a safetensors file. Raises DataError naming the file."""
    model = _with_weights(path, architecture)
    model = model.to(memory_format=torch.channels_last).to(device).eval().requires_grad_(False)
    return VisionTower(model, transform, grid, device)


def build(path: Path | None, architecture: str, grid: int | None, seed: int) -> VisionModule:
    """Return the module in training, from a safetensors file or from random weights of `seed`. Raises DataError."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _new(architecture) if path is None else _with_weights(path, architecture)
    return VisionModule(model.to(memory_format=torch.channels_last), grid)


def _new(architecture: str) -> nn.Module:
    model: nn.Module = timm.create_model(architecture, pretrained=False, num_classes=0)
    return model


def _with_weights(path: Path, architecture: str) -> nn.Module:
    """Return the model with weights of a file; every key but the classifier's must match."""
    model = _new(architecture)
    try:
        state = timm_keys(load_file(path))
        model.load_state_dict({key: value for key, value in state.items() if not key.startswith(CLASSIFIER)})
    except (SafetensorError, RuntimeError, KeyError, OSError) as error:
        raise DataError(f"{path}: not a checkpoint of {architecture}: {error}") from error
    return model


def count(architecture: str, image_size: int) -> tuple[int, int, float]:
    """Return parameters, bytes and FLOPs per image, built and run on the meta device."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        model = timm.create_model(architecture, pretrained=False, num_classes=0).eval()
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            model.forward_features(torch.empty(1, 3, image_size, image_size))
    parameters = list(model.parameters())
    size = sum(p.numel() * p.element_size() for p in parameters)
    return sum(p.numel() for p in parameters), size, float(counter.get_total_flops())


def timm_keys(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state with torchvision's `features.*` keys renamed to timm's; other states as they are."""
    return {_renamed(key): value for key, value in state.items()}


def _renamed(key: str) -> str:
    match = KEY.fullmatch(key)
    if match is None:
        return key
    index, place, leaf = int(match[1]), match[2], match[3]
    if index == 0:
        return f"{('conv_stem', 'bn1')[int(place)]}.{leaf}"
    if index == 1 + sum(DEPTHS):
        return f"{('conv_head', 'bn2')[int(place)]}.{leaf}"
    stage, block = _position(index - 1)
    names = FIRST if stage == 0 else OTHER
    return f"blocks.{stage}.{block}.{names[place]}.{leaf}"


def _position(block: int) -> tuple[int, int]:
    for stage, depth in enumerate(DEPTHS):
        if block < depth:
            return stage, block
        block -= depth
    raise KeyError(f"MobileNetV2 has no block {block}")
