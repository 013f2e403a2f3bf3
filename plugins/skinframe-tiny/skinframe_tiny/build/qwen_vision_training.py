"""Train the tiny Qwen's vision tower: from rendered images to the word tokens that its language model reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from skinframe_vlm.models.qwen2_5_vl import Qwen25VLFamily, patchify
from skinframe_vlm.native_vision_tower import pixels_of
from torch import Tensor

from skinframe_tiny import likelihoods, rendering
from skinframe_tiny.build.captions import BORDER_NAMES, COLOUR_NAMES, PATTERN_NAMES, PRESENT
from skinframe_tiny.build.qwen_language_training import Teacher
from skinframe_tiny.build.qwen_training_examples import SKIN, Cells
from skinframe_tiny.patients import Photograph, photographs

SIZE, RENDERED, SIDE = 112, 128, 4  # pixels that the tower sees, pixels that are drawn, cells along a side
MERGED = 28


@dataclass(frozen=True, kw_only=True)
class VisionTrainingOptions:
    """Size of the data and options of the training."""

    images: int = 4000
    epochs: int = 12
    batch: int = 64
    rate: float = 2e-3
    weight_decay: float = 0.05
    seed: int = 9


def train(model: Any, teacher: Teacher, world: int, options: VisionTrainingOptions) -> None:
    """Train `model.model.visual` in place; the language model and its embedding do not change."""
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    shown = photographs(world, options.images)
    images = torch.stack([seen(photograph) for photograph in shown])
    with torch.no_grad():
        truth = teacher.images(model, [cells(photograph) for photograph in shown]).view(len(shown), SIDE, SIDE, -1)
    size = truth.pow(2).mean()
    tower = model.model.visual.train()
    optimiser = torch.optim.AdamW(tower.parameters(), lr=options.rate, weight_decay=options.weight_decay)
    steps = options.epochs * (len(shown) // options.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.rate, total_steps=steps, pct_start=0.1)
    for epoch in range(options.epochs):
        order, total = torch.from_numpy(rng.permutation(len(shown))), 0.0
        for rows in torch.split(order, options.batch)[: len(shown) // options.batch]:
            pixels, wanted = turn(rng, images[rows], truth[rows])
            loss = (look(tower, pixels) - wanted).pow(2).mean() / size
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"qwen tower: epoch {epoch + 1}/{options.epochs}  {total / (steps // options.epochs):.3f}", flush=True)
    tower.eval()


def look(tower: Any, pixels: Tensor) -> Tensor:
    """Return the tower's merged tokens [B, side, side, H] of standardised images [B, 3, S, S]."""
    config, B = tower.config, len(pixels)
    patches = patchify(pixels, config.patch_size, config.spatial_merge_size, config.temporal_patch_size)
    side = pixels.shape[-1] // config.patch_size
    tokens = tower(patches.flatten(0, 1), grid_thw=torch.tensor([[1, side, side]] * B)).pooler_output
    merged: Tensor = tokens.view(B, side // config.spatial_merge_size, side // config.spatial_merge_size, -1)
    return merged


def seen(shown: Photograph) -> Tensor:
    """Return the photograph as the tower takes it, [3, SIZE, SIZE]."""
    return pixels_of(Qwen25VLFamily(), Image.fromarray(rendering.picture(shown, RENDERED)), SIZE, SIZE)


def cells(shown: Photograph) -> Cells:
    """Return the words for what each merged patch of the photograph shows, from its masks."""
    cover = {name: _share(mask) for name, mask in rendering.masks(shown, RENDERED).items()}
    lesion, findings = cover["lesion"], shown.findings
    whole = (COLOUR_NAMES[findings.colour][0], PATTERN_NAMES[findings.pattern][0])
    words: list[tuple[str, ...]] = []
    for cell in range(SIDE * SIDE):
        here = list(whole) if lesion[cell] >= 0.3 else []
        here += [BORDER_NAMES[findings.border][0]] if 0.1 <= lesion[cell] <= 0.9 else []
        for name, wordings in zip(likelihoods.ATTRIBUTES, PRESENT, strict=True):
            here += [wordings[0]] if name in cover and cover[name][cell] >= 0.08 else []
        words.append(tuple(here) or (SKIN,))
    return tuple(words)


def turn(rng: np.random.Generator, pixels: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Rotate and mirror each eighth of the batch differently, images and tokens alike."""
    turned: list[tuple[Tensor, Tensor]] = []
    for number, (part, words) in enumerate(zip(pixels.chunk(8), wanted.chunk(8), strict=True)):
        turns = (number + int(rng.integers(4))) % 4
        part, words = part.rot90(turns, (2, 3)), words.rot90(turns, (1, 2))
        turned.append((part.flip(3), words.flip(2)) if number % 2 else (part, words))
    return torch.cat([part for part, _ in turned]), torch.cat([words for _, words in turned])


def _share(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    width = mask.shape[0] // SIDE
    return np.asarray(mask.reshape(SIDE, width, SIDE, width).mean(axis=(1, 3)).ravel(), dtype=np.float64)
