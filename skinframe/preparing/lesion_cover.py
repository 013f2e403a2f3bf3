"""How much of each image patch the lesion fills, for terms that read masks; made only where one does."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL.Image import fromarray
from torch import Tensor

from skinframe.errors import DataError
from skinframe.evaluation.grounding import patch_cover
from skinframe.features.dihedral_views import dihedral
from skinframe.preparing.prepared_data import Prepared, encoders

SIGNAL = "batch.lesion_cover"


def lesion_cover(prepared: Prepared) -> Tensor | None:
    """Return the cover of every training image [N, views, P], NaN where there is no mask; None where nothing reads it.

    Masks are turned and cropped as the image was, for the encoder whose patches a head reads. Raises DataError where no
    training image has a mask that shows some lesion, or the patches are no square.
    """
    if SIGNAL not in prepared.plan.wiring.used:
        return None
    name, patches = _patches(prepared)
    side = math.isqrt(patches)
    if side * side != patches:
        raise DataError(f"{SIGNAL}: the {patches} patches of encoder '{name}' fill no square; use another encoder")
    views = prepared.plan.recipe.views
    encoder, dataset = encoders(prepared.plan)[name], prepared.plan.parts.dataset
    cover = torch.full((len(prepared.samples), views, patches), math.nan)
    for row in prepared.split.train:
        mask = dataset.masks(prepared.samples[row]).get("lesion")
        if mask is None:
            continue
        picture = fromarray(mask.astype(np.uint8) * 255).convert("RGB")
        for view in range(views):
            seen = np.asarray(encoder.seen(dihedral(picture, view)))[..., 0] > 127
            if seen.any():
                cover[row, view] = torch.from_numpy(patch_cover(seen, side, side)).float().flatten()
    if bool(cover.isnan().all()):
        raise DataError(f"{SIGNAL}: no training image has a lesion mask; leave the term out, or use data with masks")
    return cover


def _patches(prepared: Prepared) -> tuple[str, int]:
    """Return the encoder whose patches a head projects, and how many there are."""
    feeds = prepared.plan.wiring.heads.values()
    full = next((each["image_tokens"] for each in feeds if "image_tokens" in each), None)
    if full is None:
        raise DataError(f"{SIGNAL}: no head reads image_tokens, so there are no patches; add the head 'projection'")
    name, _, signal = full.rpartition(".")
    return name, encoders(prepared.plan)[name].provides()[signal][0]
