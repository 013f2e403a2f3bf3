"""Tiny random checkpoints of the real classes, in the Hugging Face folder format, one for each family."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

QWEN = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
LLAMA = ("<unk>", "<s>", "</s>", "<image>")
CORPUS = (
    "You are a dermatologist. Which class is this lesion?",
    "Findings: blue-whitish veil present, atypical network absent. Age 60, sex male, site head/neck.",
    "nevus melanoma basal cell carcinoma dermatofibroma vascular lesion keratosis",
    "system\nuser\nassistant\n USER: ASSISTANT:",
)


def save_tokenizer(folder: Path, specials: Iterable[str] = QWEN, *, llama: bool = False) -> dict[str, int]:
    """Write a small tokenizer: byte-level as Qwen's, or with leading spaces as tokens as Llama's."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>" if llama else None))
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    if llama:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
        alphabet = [chr(code) for code in (10, *range(33, 127))] + ["▁"]
    else:
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=alphabet, show_progress=False, special_tokens=["<unk>"] if llama else []
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in specials])
    tokenizer.save(str(folder / "tokenizer.json"))
    end, pad = ("</s>", "<unk>") if llama else ("<|im_end|>", "<|endoftext|>")
    kind = "LlamaTokenizer" if llama else "Qwen2Tokenizer"
    options = {"tokenizer_class": kind, "eos_token": end, "pad_token": pad}
    (folder / "tokenizer_config.json").write_text(json.dumps(options), encoding="utf-8")
    return {name: tokenizer.token_to_id(name) for name in specials}


def save_model(folder: Path, model_class: Any, config: Any) -> Path:
    import torch

    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = model_class(config)
        with torch.no_grad():  # a random model with peaked predictions, so that argmax is not a matter of rounding
            model.lm_head.weight.mul_(10)
    model.save_pretrained(folder)
    return folder


def text_options(ids: dict[str, int], end: str) -> dict[str, Any]:
    return {
        "vocab_size": 320, "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512,
        "bos_token_id": None, "eos_token_id": ids[end],
    }  # fmt: skip


def token_ids(ids: dict[str, int]) -> dict[str, int]:
    return {
        "image_token_id": ids["<|image_pad|>"], "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"], "vision_end_token_id": ids["<|vision_end|>"],
    }  # fmt: skip


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qwen2.5-VL."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    folder = tmp_path_factory.mktemp("qwen")
    ids = save_tokenizer(folder)
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]}
    config = Qwen2_5_VLConfig(
        text_config={**text_options(ids, "<|im_end|>"), "rope_parameters": rope},
        vision_config={
            "depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "out_hidden_size": 128,
            "patch_size": 14, "window_size": 56, "fullatt_block_indexes": [1],
        },
        **token_ids(ids),
    )  # fmt: skip
    return save_model(folder, Qwen2_5_VLForConditionalGeneration, config)


@pytest.fixture(scope="session")
def qwen3_vl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Qwen3-VL: interleaved rotary positions, features of two inner layers of the tower."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    folder = tmp_path_factory.mktemp("qwen3")
    ids = save_tokenizer(folder)
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [6, 5, 5], "mrope_interleaved": True}
    config = Qwen3VLConfig(
        text_config={
            **text_options(ids, "<|im_end|>"), "num_hidden_layers": 3, "head_dim": 32, "rope_parameters": rope,
        },
        vision_config={
            "depth": 3, "hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "out_hidden_size": 128,
            "patch_size": 16, "num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1],
        },
        **token_ids(ids),
    )  # fmt: skip
    return save_model(folder, Qwen3VLForConditionalGeneration, config)


@pytest.fixture(scope="session")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LLaVA with a CLIP tower of 16 patches and a Llama."""
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    folder = tmp_path_factory.mktemp("llava")
    ids = save_tokenizer(folder, LLAMA, llama=True)
    config = LlavaConfig(
        text_config=LlamaConfig(**text_options(ids, "</s>")),
        vision_config=CLIPVisionConfig(
            hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=2, image_size=56,
            patch_size=14, projection_dim=64,
        ),
        image_token_id=ids["<image>"],
    )  # fmt: skip
    return save_model(folder, LlavaForConditionalGeneration, config)
