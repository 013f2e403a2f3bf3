"""Reading a checkpoint: whole, damaged, and in the hub's older layout of config.json."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from skinframe_vlm import Qwen25VL, QwenVision
from skinframe_vlm.models.qwen2_5_vl import Qwen25VLFamily

from skinframe import RecipeError

FAMILY = Qwen25VLFamily()
HUB_CONFIG = {  # as the hub's config.json lays it out: the language model's options at the top
    "architectures": ["Qwen2_5_VLForConditionalGeneration"],
    "model_type": "qwen2_5_vl",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
    "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0,
    "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]},
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "image_token_id": 151655,
    "vision_config": {
        "depth": 32,
        "hidden_size": 1280,
        "intermediate_size": 3420,
        "num_heads": 16,
        "in_chans": 3,
        "out_hidden_size": 3584,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "window_size": 112,
        "fullatt_block_indexes": [7, 15, 23, 31],
        "temporal_patch_size": 2,
    },
}


@pytest.fixture
def copy(checkpoint: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(checkpoint, folder)
    return folder


def test_the_hubs_flat_config_is_counted_alike(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(HUB_CONFIG), encoding="utf-8")
    reasoner = Qwen25VL(Qwen25VL.Config(model=str(tmp_path)))
    assert reasoner.provides() == {"hidden": (3584,), "rationale_logits": (152064,)}
    rows = reasoner.modules({"clip.image_tokens": (256, 1024)})
    assert sum(row.parameters for row in rows if row.name.startswith("language model")) == 7_070_619_136
    [tower] = QwenVision(QwenVision.Config(model=str(tmp_path))).modules()
    assert tower.parameters == 676_550_144


def test_a_truncated_file_is_one_clear_message(copy: Path) -> None:
    from skinframe_vlm.load_weights import load_eyes, load_language_model

    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(RecipeError, match=r"cannot be read as a Qwen2\.5-VL checkpoint"):
        load_language_model(FAMILY, copy, "nf4", "fp32", "cpu")
    with pytest.raises(RecipeError, match="download its files again"):
        load_eyes(FAMILY, copy, "fp32", "cpu")


@pytest.mark.parametrize("lost", ["model.layers.1.mlp.up_proj.weight", "visual.merger.ln_q.weight"])
def test_a_lost_tensor_is_never_drawn_at_random(copy: Path, lost: str) -> None:
    from skinframe_vlm.load_weights import load_eyes, load_language_model

    tensors = load_file(copy / "model.safetensors")
    del tensors[lost]
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    if lost.startswith("visual"):
        load_language_model(FAMILY, copy, "nf4", "fp32", "cpu")  # the tower is not its business
        with pytest.raises(RecipeError, match="1 tensors are not in its files"):
            load_eyes(FAMILY, copy, "fp32", "cpu")
    else:
        load_eyes(FAMILY, copy, "fp32", "cpu")
        with pytest.raises(RecipeError, match="up_proj"):
            load_language_model(FAMILY, copy, "nf4", "fp32", "cpu")


def test_half_precision_files_are_read_in_the_precision_asked_for(copy: Path) -> None:
    from skinframe_vlm.load_weights import load_eyes, load_language_model

    tensors = {name: tensor.half() for name, tensor in load_file(copy / "model.safetensors").items()}
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    model: Any = load_language_model(FAMILY, copy, "none", "fp32", "cpu")
    assert all(p.dtype == torch.float32 for p in model.parameters())
    assert load_eyes(FAMILY, copy, "bf16", "cpu").dtype == torch.bfloat16


def test_several_shards_are_one_checkpoint(copy: Path, checkpoint: Path) -> None:
    from skinframe_vlm.load_weights import load_language_model

    whole: Any = load_language_model(FAMILY, checkpoint, "none", "fp32", "cpu")
    tensors = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    names = sorted(tensors)
    shards = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, held in shards.items():
        save_file({name: tensors[name] for name in held}, copy / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {name: file for file, held in shards.items() for name in held}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert Qwen25VL(Qwen25VL.Config(model=str(copy))).missing() == []
    split: Any = load_language_model(FAMILY, copy, "none", "fp32", "cpu")
    theirs = dict(whole.named_parameters())
    assert all(torch.equal(p, theirs[name]) for name, p in split.named_parameters())


@pytest.mark.gate("E2")
def test_no_weight_is_read_from_a_pickle(copy: Path) -> None:
    from skinframe_vlm.load_weights import load_language_model

    tensors = load_file(copy / "model.safetensors")
    torch.save(tensors, copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    with pytest.raises(RecipeError, match="cannot be read"):
        load_language_model(FAMILY, copy, "none", "fp32", "cpu")
