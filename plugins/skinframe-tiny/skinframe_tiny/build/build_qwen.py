"""Build the tiny Qwen2.5-VL: tokenizer, language model, vision tower; evaluate it on held-out data."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from skinframe_tiny import embedded_weights
from skinframe_tiny.build import qwen_language_training, qwen_vision_training
from skinframe_tiny.build.qwen_evaluation import evaluate
from skinframe_tiny.build.qwen_tokenizer import write_tokenizer
from skinframe_tiny.build.qwen_training_examples import corpus_texts
from skinframe_tiny.patients import photographs

WORLD, HELD_OUT = 720_001, 720_002  # seeds of the data, which no recipe uses by default
VOCABULARY, H = 1024, 128


def config(ids: dict[str, int]) -> Qwen2_5_VLConfig:
    """Return the architecture: Qwen2.5-VL's own, every dimension a multiple of NF4's block of 64."""
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": VOCABULARY, "hidden_size": H, "intermediate_size": 256, "num_hidden_layers": 4,
            "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 1024,
            "rms_norm_eps": 1e-6, "bos_token_id": None, "eos_token_id": ids["<|im_end|>"],
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [4, 6, 6]},
        },
        vision_config={
            "depth": 3, "hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "out_hidden_size": H,
            "patch_size": 14, "window_size": 112, "fullatt_block_indexes": [2],
        },
        image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )  # fmt: skip


def main() -> None:
    """Train and write `weights/qwen` in place; about ten minutes of one CPU core."""
    build(
        embedded_weights.qwen(),
        qwen_language_training.LanguageTrainingOptions(),
        qwen_vision_training.VisionTrainingOptions(),
    )


def build(
    folder: Path,
    options: qwen_language_training.LanguageTrainingOptions,
    vision: qwen_vision_training.VisionTrainingOptions,
    evaluated: int = 1000,
) -> None:
    """Write config, tokenizer, weights (float16) and `figures.json` (metrics on the held-out data)."""
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)  # the same sums in the same order on any machine of this kind
    torch.manual_seed(options.seed)
    ids = write_tokenizer(folder, corpus_texts(photographs(WORLD, 3000)), VOCABULARY)
    model: Any = Qwen2_5_VLForConditionalGeneration(config(ids))
    qwen_language_training.train(model, folder, WORLD, options)
    qwen_vision_training.train(model, qwen_language_training.Teacher(folder, qwen_vision_training.SIDE), WORLD, vision)
    model.half().save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    figures = evaluate(folder, HELD_OUT, evaluated) | {"minutes": round((time.monotonic() - began) / 60, 1)}
    (folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))
