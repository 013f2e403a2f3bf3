"""Evaluates the tiny CLIP on held-out images, loaded from its folder as a user would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import functional as F

from skinframe_tiny import likelihoods
from skinframe_tiny.build.captions import AT_ABSENT, AT_PRESENT, CLASS_NAMES, OPENINGS, PRESENT
from skinframe_tiny.build.clip_training import pixels
from skinframe_tiny.build.image_caption_corpus import Corpus

Figures = dict[str, float | dict[str, float]]


@torch.inference_mode()
def evaluate(folder: Path, data: Corpus) -> Figures:
    """Return zero-shot and probe balanced accuracy, and each attribute's AUROC over images and over patches.

    Probes are fitted on the first two thirds of the images and tested on the rest; at most one patient is in both.
    """
    model = open_clip.create_model(f"local-dir:{folder}").eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    model.visual.output_tokens = True
    outputs = [model.visual(pixels(model, data.images[i : i + 128])) for i in range(0, len(data.images), 128)]
    pooled, tokens = (torch.cat(parts) for parts in zip(*outputs, strict=True))
    cut = len(data.labels) * 2 // 3

    classes = _embed(model, tokenizer, [OPENINGS[0].format(names[0]) for names in CLASS_NAMES])
    guesses = (F.normalize(pooled, dim=-1) @ classes.T).argmax(dim=1).numpy()
    words = _embed(model, tokenizer, [names[0] for names in PRESENT])
    local = (F.normalize(tokens @ model.visual.proj, dim=-1) @ words.T).numpy()

    mean = tokens.mean(dim=1).numpy()
    present = data.facts[:, AT_PRESENT:AT_ABSENT]
    return {
        "zero_shot_balanced_accuracy": round(float(balanced_accuracy_score(data.labels, guesses)), 4),
        "probe_balanced_accuracy": round(_probe(mean, data.labels, cut, None), 4),
        "probe_balanced_accuracy_class_weighted": round(_probe(mean, data.labels, cut, "balanced"), 4),
        "attribute_auroc_from_mean_tokens": {
            name: round(_auroc(mean, present[:, a], cut), 4) for a, name in enumerate(likelihoods.ATTRIBUTES)
        },
        "attribute_auroc_zero_shot_over_patches": {
            name: round(float(roc_auc_score(data.patches[:, :, a].ravel(), local[:, :, a].ravel())), 4)
            for a, name in enumerate(likelihoods.ATTRIBUTES)
        },
    }


def _embed(model: Any, tokenizer: open_clip.tokenizer.HFTokenizer, texts: list[str]) -> torch.Tensor:
    embedded: torch.Tensor = F.normalize(model.encode_text(tokenizer(texts)), dim=-1)
    return embedded


def _probe(features: NDArray[np.float32], labels: NDArray[np.int64], cut: int, weight: str | None) -> float:
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000, class_weight=weight))
    guesses = probe.fit(features[:cut], labels[:cut]).predict(features[cut:])
    return float(balanced_accuracy_score(labels[cut:], guesses))


def _auroc(features: NDArray[np.float32], present: NDArray[np.bool_], cut: int) -> float:
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    probe.fit(features[:cut], present[:cut])
    return float(roc_auc_score(present[cut:], probe.decision_function(features[cut:])))
