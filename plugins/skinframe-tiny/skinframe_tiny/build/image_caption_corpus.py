"""The training corpus of the tiny CLIP: rendered images, facts and patch labels, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinframe_tiny import likelihoods, patients, rendering
from skinframe_tiny.build.captions import AT_PATTERN, AT_PRESENT, facts

PATCH = 16
COVERED = 0.08  # share of a patch that an attribute must cover for the patch to count as showing it


@dataclass(frozen=True, kw_only=True, eq=False)
class Corpus:
    """N images [N, S, S, 3] uint8, facts [N, F], labels [N], and patch labels [N, P, A + 1] (last: lesion)."""

    images: NDArray[np.uint8]
    facts: NDArray[np.bool_]
    labels: NDArray[np.int64]
    patches: NDArray[np.bool_]


def corpus(seed: int, count: int, size: int = 128) -> Corpus:
    """Render the first `count` photographs for `seed`."""
    photographs = patients.photographs(seed, count)
    images = np.stack([rendering.picture(photograph, size) for photograph in photographs])
    patches = np.stack([_patches(rendering.masks(photograph, size), size) for photograph in photographs])
    labels = np.array([photograph.sample.label for photograph in photographs], dtype=np.int64)
    return Corpus(images=images, facts=facts(photographs), labels=labels, patches=patches)


def _patches(masks: dict[str, NDArray[np.bool_]], size: int) -> NDArray[np.bool_]:
    """Return which patch shows which attribute [P, A + 1]; the last column is the lesion, covering half a patch."""
    side = size // PATCH
    shown = np.zeros((side * side, len(likelihoods.ATTRIBUTES) + 1), dtype=bool)
    for column, name in enumerate((*likelihoods.ATTRIBUTES, "lesion")):
        if name in masks:
            share = masks[name].reshape(side, PATCH, side, PATCH).mean(axis=(1, 3)).ravel()
            shown[:, column] = share >= (0.5 if name == "lesion" else COVERED)
    return shown


def region_truth(held: NDArray[np.bool_], patches: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return [B, P, A + 6]: which patch shows which attribute, and which lies in a lesion of which pattern."""
    patterns = held[:, None, AT_PATTERN : AT_PATTERN + len(likelihoods.PATTERNS)] & patches[:, :, -1:]
    return np.concatenate([patches[:, :, :-1], patterns], axis=2)


REGION_FACTS = (*range(AT_PRESENT, AT_PRESENT + 7), *range(AT_PATTERN, AT_PATTERN + 6))
