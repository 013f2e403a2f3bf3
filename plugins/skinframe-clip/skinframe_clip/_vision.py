"""The loaded timm model. Everything here needs torch and timm; the component imports it when it loads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from skinframe import DataError, Tower
from skinframe_clip._pool import pool_grid
from skinframe_clip._torchvision import timm_keys

if TYPE_CHECKING:
    from PIL.Image import Image


# Convolutions on a CPU: a few images at a time in channels-last order stay in its cache (measured 1.5 times faster
# than 32 at once in the default order, EfficientNet-Lite0 at 160 pixels, one thread).
CPU_SLICE = 8


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


def load(
    path: Path, architecture: str, transform: Callable[[Image], Tensor], grid: int | None, device: str
) -> VisionTower:
    """Read a safetensors file; every key but the classifier's must match. Raises DataError naming the file."""
    model = timm.create_model(architecture, pretrained=False, num_classes=0)
    try:
        state = timm_keys(load_file(path))
        model.load_state_dict(
            {key: value for key, value in state.items() if not key.startswith(("classifier.", "fc."))}
        )
    except (SafetensorError, RuntimeError, KeyError, OSError) as error:
        raise DataError(f"{path}: not a checkpoint of {architecture}: {error}") from error
    model = model.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
    return VisionTower(model, transform, grid, device)


def count(architecture: str, image_size: int) -> tuple[int, int, float]:
    """Return parameters, bytes and FLOPs an image, built and run on the meta device."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        model = timm.create_model(architecture, pretrained=False, num_classes=0).eval()
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            model.forward_features(torch.empty(1, 3, image_size, image_size))
    parameters = list(model.parameters())
    size = sum(one.numel() * one.element_size() for one in parameters)
    return sum(one.numel() for one in parameters), size, float(counter.get_total_flops())
