"""What the components say without weights: counts, requirements, digests, options; and that they are light."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from skinframe_vlm import Qwen25VL, QwenVision
from skinframe_vlm import vision_language_reasoner as reasoner_file
from skinframe_vlm.config_sizes import linear_shapes
from skinframe_vlm.reasoner_options import Lora

from skinframe import RecipeError

SEVEN, THREE = "Qwen/Qwen2.5-VL-7B-Instruct", "Qwen/Qwen2.5-VL-3B-Instruct"
SHAPES = {"clip.image_tokens": (256, 1024), "native.image_tokens": (64, 3584)}


def rows(**options: Any) -> dict[str, Any]:
    return {row.name: row for row in Qwen25VL(Qwen25VL.Config(**options)).modules(SHAPES)}


def test_the_7b_model_is_counted_exactly_with_no_weights() -> None:
    found = rows(model=SEVEN)
    language = sum(row.parameters for name, row in found.items() if name.startswith("language model"))
    assert language == 7_070_619_136
    assert found["LM head"].parameters == 544_997_376
    assert found["LoRA adapters"].parameters == 161_480_704
    assert language + 303_966_208 == 7_374_585_344  # with CLIP ViT-L/14: the "7.4 B" of the paper
    roles = {name: row.role for name, row in found.items()}
    assert roles["language model: linear layers"] == "nf4"
    assert roles["LM head"] == roles["language model: embedding"] == "frozen"
    assert roles["connector"] == "trained"
    assert sum(role == "nf4" for role in roles.values()) == 1


def test_the_connector_is_layernorm_and_two_linears() -> None:
    V, H = 1024, 3584
    assert rows(model=SEVEN)["connector"].parameters == 2 * V + (V * H + H) + (H * H + H)
    assert "connector" not in rows(model=SEVEN, vision="native")


def test_qwens_own_tower_is_counted_exactly() -> None:
    [row] = QwenVision(QwenVision.Config(model=SEVEN)).modules()
    assert (row.parameters, row.role) == (676_550_144, "frozen")


def test_the_3b_model_has_no_head_of_its_own() -> None:
    found = rows(model=THREE)
    assert found["LM head (tied to the embedding)"].parameters == 0
    assert found["language model: embedding"].parameters == 151_936 * 2048


def test_a_training_step_costs_what_the_published_formula_says() -> None:
    """2.73 TFLOP a 100 tokens, forward and backward with LoRA and no recomputation (the design's unit cost)."""
    found = rows(model=SEVEN, pool=2)
    language = sum(row.flops_per_sample for name, row in found.items() if name != "connector")
    assert language == pytest.approx(2.73e12 * (64 + 64) / 100, rel=0.02)


def test_the_closed_form_agrees_with_the_meta_device() -> None:
    from skinframe_vlm.local_checkpoint import LocalCheckpoint

    family = Qwen25VL.family

    for model in (SEVEN, THREE):
        shapes = linear_shapes(family.text(LocalCheckpoint(family=family, model=model).architecture()))
        linears = sum(inputs * outputs for inputs, outputs in shapes)
        adapters = 64 * sum(inputs + outputs for inputs, outputs in shapes)
        found = rows(model=model)
        assert found["language model: linear layers"].parameters == linears
        assert found["LoRA adapters"].parameters == adapters


def test_nf4_takes_a_little_over_half_a_byte_a_weight() -> None:
    """Against what bitsandbytes really holds for one layer."""
    import torch
    from bitsandbytes.nn import Linear4bit
    from skinframe_vlm.config_sizes import NF4_BYTES

    layer = Linear4bit(1024, 1024, bias=False, quant_type="nf4", compress_statistics=True).to("cpu")
    state = layer.weight.quant_state
    held = layer.weight.numel() + state.absmax.numel() + 4 * state.state2.absmax.numel()
    assert layer.weight.dtype == torch.uint8
    assert held == 1024 * 1024 * NF4_BYTES


def test_a_7b_model_without_a_gpu_is_refused_before_any_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasoner_file, "cuda_memory", lambda: 0)
    gpu, weights = Qwen25VL(Qwen25VL.Config(model=SEVEN, revision="abc")).missing()
    assert gpu.kind == "gpu"
    assert "8 GB of it for weights and optimiser alone" in gpu.what
    assert weights.next_step == f"hf download {SEVEN} --revision abc"
    monkeypatch.setattr(reasoner_file, "cuda_memory", lambda: 80_000_000_000)
    assert [item.kind for item in Qwen25VL(Qwen25VL.Config(model=SEVEN)).missing()] == ["weights"]


def test_a_small_model_needs_no_gpu(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasoner_file, "cuda_memory", lambda: 0)
    assert Qwen25VL(Qwen25VL.Config(model=str(checkpoint))).missing() == []


def test_a_broken_off_download_names_the_files(checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "part"
    shutil.copytree(checkpoint, folder)
    (folder / "model.safetensors").unlink()
    [item] = Qwen25VL(Qwen25VL.Config(model=str(folder))).missing()
    assert "model.safetensors" in item.what


def test_an_unknown_model_says_what_to_do() -> None:
    reasoner = Qwen25VL(Qwen25VL.Config(model="someone/another-model"))
    with pytest.raises(RecipeError, match="hf download someone/another-model"):
        reasoner.provides()


def test_the_digest_follows_the_bytes_and_not_the_path(checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(checkpoint, folder)
    config, copied = Qwen25VL.Config(model=str(checkpoint)), Qwen25VL.Config(model=str(folder))
    assert Qwen25VL(copied).digest() == Qwen25VL(config).digest()
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    assert Qwen25VL(copied).digest() != Qwen25VL(config).digest()


def test_the_vision_digest_follows_size_and_precision(checkpoint: Path) -> None:
    digests = {
        QwenVision(QwenVision.Config(model=str(checkpoint), size=size, precision=precision)).digest()
        for size in (112, 224)
        for precision in ("fp32", "bf16")
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [({"pool": 0}, "pool must"), ({"token_dropout": 1.0}, "token_dropout must"), ({"connector_dropout": -1}, "conn")],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Qwen25VL.Config(**options)


@pytest.mark.parametrize(("options", "message"), [({"r": 0}, "r must"), ({"alpha": 0}, "alpha"), ({"dropout": 1}, "d")])
def test_adapter_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Lora(**options)


def test_a_pool_that_does_not_divide_the_grid_is_refused(checkpoint: Path) -> None:
    reasoner = Qwen25VL(Qwen25VL.Config(model=str(checkpoint), pool=3))
    with pytest.raises(RecipeError, match="pool 3 does not divide the 16 x 16 grid"):
        reasoner.modules(SHAPES)


def test_the_plugin_is_light(checkpoint: Path) -> None:
    code = (
        "import sys; from skinframe_vlm import Qwen25VL;"
        f" r = Qwen25VL(Qwen25VL.Config(model={str(checkpoint)!r}, vision='both', native_size=112));"
        " r.provides(); r.needs(); r.missing(); r.digest(); [e.provides() for e in r.brings().values()];"
        " heavy = {'torch', 'transformers', 'peft', 'bitsandbytes', 'tokenizers'} & set(sys.modules);"
        " sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
