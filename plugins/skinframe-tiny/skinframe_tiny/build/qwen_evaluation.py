"""Evaluates the tiny Qwen on held-out data, loaded in NF4 by the reasoner plugin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from skinframe_vlm import Qwen25VL
from torch import Tensor

from skinframe import BuildContext
from skinframe.data.token_padding import lay_out
from skinframe_tiny import likelihoods, rendering
from skinframe_tiny.build.qwen_language_training import Teacher
from skinframe_tiny.build.qwen_training_examples import CLASS_WORDS, FIELDS, PROMPT
from skinframe_tiny.build.qwen_vision_training import RENDERED, SIZE, cells
from skinframe_tiny.patients import Photograph, photographs


def evaluate(folder: Path, world: int, count: int) -> dict[str, Any]:
    """Return metrics for image tokens made of the true words, and for those of the model's own vision tower."""
    reasoner = Qwen25VL(Qwen25VL.Config(model=str(folder), vision="native", native_size=SIZE))
    tower = reasoner.brings()["native"]
    shapes = {f"native.{name}": shape for name, shape in tower.provides().items()}
    module: Any = reasoner.build(BuildContext(classes=likelihoods.CLASSES, shapes=shapes, seed=0))
    module.eval()
    shown, teacher = photographs(world, count), Teacher(folder, 4)
    images = [Image.fromarray(rendering.picture(photograph, RENDERED)) for photograph in shown]
    with torch.no_grad():
        words = teacher.images(module.base, [cells(photograph) for photograph in shown])
        seen = tower.load("cpu").images(images)["image_tokens"]
    bayes = np.stack([likelihoods.posterior(photograph.findings, photograph.sample.metadata) for photograph in shown])
    labels = np.array([photograph.sample.label for photograph in shown])
    figures: dict[str, Any] = {"images": count, "bayes_balanced_accuracy": _balanced(bayes, labels)}
    for name, tokens in (("true_words", words), ("own_tower", seen)):
        figures[name] = _figures(module, shown, tokens, labels, bayes)
    return figures


def _figures(
    module: Any, shown: Sequence[Photograph], tokens: Tensor, labels: NDArray[np.int64], bayes: NDArray[np.float64]
) -> dict[str, float]:
    rows = module.label_rows(CLASS_WORDS)
    scores, written = [], []
    for part in torch.split(torch.arange(len(shown)), 64):
        batch = lay_out(
            [module.tokenize(PROMPT.question(shown[i].sample, FIELDS), None) for i in part.tolist()], module.pad_id
        )
        batch["native.image_tokens"] = tokens[part]
        with torch.no_grad():
            scores.append((module(batch, frozenset({"hidden"}))["hidden"] @ rows.T).softmax(-1))
        written += module.generate(batch, 40)
    probabilities = torch.cat(scores).double().numpy()
    mentioned = np.array([[bool(there) for there in PROMPT.mentions(text, likelihoods.ATTRIBUTES)] for text in written])
    truth = np.array([photograph.sample.attributes for photograph in shown])
    sides = [0.5 * (mentioned[t, a].mean() + 1 - mentioned[~t, a].mean()) for a, t in enumerate(truth.T)]
    return {
        "balanced_accuracy": _balanced(probabilities, labels),
        "distance_from_bayes": round(float(np.abs(probabilities - bayes).sum(1).mean() / 2), 4),
        "attribute_balanced_accuracy": round(float(np.mean(sides)), 4),
    }


def _balanced(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the balanced accuracy of the most likely class, corrected for the class prior."""
    chosen = (probabilities / likelihoods.PRIOR).argmax(1)
    return round(float(np.mean([(chosen[labels == k] == k).mean() for k in np.unique(labels)])), 4)
