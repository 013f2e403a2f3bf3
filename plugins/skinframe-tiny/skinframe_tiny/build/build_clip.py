"""Build the tiny CLIP: render images, train, evaluate on held-out images, write an open_clip folder."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from skinframe_tiny import embedded_weights
from skinframe_tiny.build.clip_evaluation import evaluate
from skinframe_tiny.build.clip_tokenizer import write_tokenizer
from skinframe_tiny.build.clip_training import ClipTrainingOptions, train
from skinframe_tiny.build.image_caption_corpus import corpus

WORLD, HELD_OUT = 710_001, 710_002  # seeds of the data, which no recipe uses by default
VOCABULARY, CONTEXT = 768, 56  # more than the captions need
CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 128,
        "init_logit_bias": -2.0,
        "vision_cfg": {
            "image_size": 128,
            "patch_size": 16,
            "width": 128,
            "layers": 4,
            "head_width": 32,
            "pool_type": "avg",
        },
        "text_cfg": {
            "context_length": CONTEXT,
            "vocab_size": VOCABULARY,
            "hf_tokenizer_name": "skinframe-tiny-clip",
            "width": 96,
            "heads": 3,
            "layers": 2,
        },
    },
    "preprocess_cfg": {"mean": [0.66, 0.48, 0.41], "std": [0.23, 0.2, 0.18]},
}


def main() -> None:
    """Train and write `weights/clip` in place; about twenty minutes on one busy CPU core."""
    build(embedded_weights.clip(), ClipTrainingOptions())


def build(folder: Path, options: ClipTrainingOptions) -> None:
    """Write config, tokenizer, weights (float16) and `figures.json` (metrics on the held-out data)."""
    began = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n", encoding="utf-8")
    write_tokenizer(folder, WORLD, VOCABULARY, CONTEXT)
    torch.set_num_threads(1)  # the same sums in the same order on any machine of this kind
    model = train(folder, corpus(WORLD, options.images), options)
    state = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors")
    figures = evaluate(folder, corpus(HELD_OUT, options.held_out))
    figures["minutes"] = round((time.monotonic() - began) / 60, 1)
    (folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))
