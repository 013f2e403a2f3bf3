"""Train the tiny CLIP with a sigmoid loss over all (image, caption) and (patch, phrase) pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from skinframe_tiny.build.captions import AT_ABSENT, AT_COLOUR, PHRASES, describe, phrase, truth
from skinframe_tiny.build.image_caption_corpus import PATCH, REGION_FACTS, Corpus, region_truth


@dataclass(frozen=True, kw_only=True)
class ClipTrainingOptions:
    """Size of the data and options of the training."""

    images: int = 8192
    held_out: int = 3000
    epochs: int = 8
    batch: int = 64
    captions: int = 32  # free captions per step, besides one phrase for each class and finding
    rate: float = 1.5e-3
    weight_decay: float = 0.05
    region_weight: float = 1.0
    seed: int = 5


def train(folder: Path, data: Corpus, options: ClipTrainingOptions) -> Any:
    """Train the model that `folder` describes; prints one line per epoch. Returns it in float32, in eval mode."""
    torch.manual_seed(options.seed)
    model: Any = open_clip.create_model(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    model.visual.output_tokens = True  # the patch tokens are trained too; the saved config leaves this off
    local = nn.Parameter(torch.tensor([math.log(10.0), -3.0]))  # the region term's own scale and bias
    parameters = [*model.parameters(), local]
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": options.weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=options.rate,
        betas=(0.9, 0.98),
    )
    steps = options.epochs * (len(data.labels) // options.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.rate, total_steps=steps, pct_start=0.1)
    rng = np.random.default_rng(options.seed)
    model.train()
    for epoch in range(options.epochs):
        totals = np.zeros(2)
        for _ in range(steps // options.epochs):
            pair, region = _losses(model, tokenizer, local, data, _draw(rng, data.labels, options.batch), rng, options)
            optimiser.zero_grad()
            torch.autograd.backward(pair + options.region_weight * region)
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            totals += pair.item(), region.item()
        totals /= steps // options.epochs
        print(f"clip: epoch {epoch + 1}/{options.epochs}  pairs {totals[0]:.3f}  regions {totals[1]:.3f}", flush=True)
    return model.eval()


def _draw(rng: np.random.Generator, labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Draw a batch in which the share of a class is proportional to the square root of its frequency."""
    weight = 1 / np.sqrt(np.bincount(labels)[labels])
    return rng.choice(len(labels), count, replace=False, p=weight / weight.sum())


def _losses(
    model: Any,  # open_clip is not typed
    tokenizer: open_clip.tokenizer.HFTokenizer,
    local: Tensor,
    data: Corpus,
    rows: NDArray[np.int64],
    rng: np.random.Generator,
    options: ClipTrainingOptions,
) -> tuple[Tensor, Tensor]:
    """Return the two terms: captions against whole images, phrases against patches."""
    images, patches = _turn(rng, data.images[rows], data.patches[rows])
    held = data.facts[rows]
    named = [fact for fact in range(len(PHRASES)) if not AT_ABSENT <= fact < AT_COLOUR]
    captions = [phrase(rng, fact) for fact in named] + [describe(rng, facts) for facts in held[: options.captions]]
    texts = F.normalize(model.encode_text(tokenizer([caption.text for caption in captions])), dim=-1)
    pooled, tokens = model.visual(pixels(model, images))
    scores = model.logit_scale.exp() * F.normalize(pooled, dim=-1) @ texts.T + model.logit_bias
    pair = F.binary_cross_entropy_with_logits(scores, torch.from_numpy(truth(held, captions)).float())
    shown = torch.from_numpy(region_truth(held, patches)).float()
    words = texts[[named.index(fact) for fact in REGION_FACTS]]
    near = local[0].exp() * F.normalize(tokens @ model.visual.proj, dim=-1) @ words.T + local[1]
    return pair, F.binary_cross_entropy_with_logits(near, shown)


def pixels(model: Any, images: NDArray[np.uint8]) -> Tensor:
    """Return images [B, S, S, 3] as the model's own preprocessing would give them at their native size."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (model.visual.image_mean, model.visual.image_std))
    return (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255 - mean) / std


def _turn(
    rng: np.random.Generator, images: NDArray[np.uint8], patches: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Rotate and mirror each eighth of the batch differently, images and patch labels alike."""
    side = images.shape[1] // PATCH
    grid = patches.reshape(len(images), side, side, -1)
    pieces = []
    for number, part in enumerate(np.array_split(np.arange(len(images)), 8)):
        turns, mirrored = (number + int(rng.integers(4))) % 4, number % 2 == 0
        both = [np.rot90(array[part], turns, axes=(1, 2)) for array in (images, grid)]
        pieces.append([array[:, :, ::-1] for array in both] if mirrored else both)
    turned, shown = (np.ascontiguousarray(np.concatenate(column)) for column in zip(*pieces, strict=True))
    return turned, shown.reshape(patches.shape)
