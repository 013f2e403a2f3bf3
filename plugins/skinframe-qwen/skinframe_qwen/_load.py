"""Read a checkpoint: the same code for the tiny and the full-size models, only the folder differs.

Concrete classes, safetensors only, no remote code, no network.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import BitsAndBytesConfig, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VisionTransformerPretrainedModel

from skinframe import RecipeError
from skinframe.errors import Problem
from skinframe_qwen._quiet import no_progress_bars, quiet_import

with quiet_import():
    from bitsandbytes.nn import Linear4bit

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
SOURCE: dict[str, Any] = {
    "use_safetensors": True,
    "local_files_only": True,
    "trust_remote_code": False,
    "output_loading_info": True,  # a tensor that a file lacks is otherwise drawn at random, with a mere warning
}


class Blind(Qwen2_5_VLForConditionalGeneration):  # type: ignore[no-untyped-call]
    """Qwen2.5-VL without its vision tower: the tower is dropped before any weight is read."""

    _keys_to_ignore_on_load_unexpected = [r"^(model\.)?visual\."]  # noqa: RUF012 (the base class declares it so)

    def __init__(self, config: Qwen2_5_VLConfig) -> None:
        super().__init__(config)
        del self.model.visual


class Tower(Qwen2_5_VisionTransformerPretrainedModel):  # type: ignore[no-untyped-call]
    """Qwen2.5-VL's vision tower alone, read out of a checkpoint of the whole model."""

    _keys_to_ignore_on_load_unexpected = [r"^(model|lm_head)\."]  # noqa: RUF012


def load_language_model(folder: Path, quantize: str, precision: str, device: str) -> Blind:
    """Return the language model with its LM head; with `nf4`, its decoder's linear layers in 4 bits.

    NF4 with double quantisation lands on the decoder's linears only: the tower is not there, the LM head is excluded.
    """
    dtype = DTYPES[precision]
    nf4 = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=["lm_head"],
    )
    with no_progress_bars(), _reading(folder):
        loaded: Any = Blind.from_pretrained(
            folder,
            dtype=dtype,
            device_map={"": device},
            attn_implementation="sdpa",
            quantization_config=nf4 if quantize == "nf4" else None,
            # transformers leaves the renaming of published keys out for classes that are not its own
            key_mapping={r"^model(?!\.(language_model|visual))": "model.language_model"},
            **SOURCE,
        )
        model: Blind = _whole(loaded)
    _no_cpu_packing(model)
    return model.requires_grad_(False)


def load_tower(folder: Path, precision: str, device: str) -> Tower:
    """Return the frozen vision tower, in evaluation mode; no key of the language model is read."""
    config: Any = Qwen2_5_VLConfig.from_pretrained(folder, local_files_only=True)
    with no_progress_bars(), _reading(folder):
        loaded: Any = Tower.from_pretrained(
            folder,
            config=config.vision_config,
            dtype=DTYPES[precision],
            device_map={"": device},
            attn_implementation="sdpa",
            key_mapping={r"^(model\.)?visual\.": ""},
            **SOURCE,
        )
        tower: Tower = _whole(loaded)
    tower.requires_grad_(False)
    tower.train(False)
    return tower


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Say which checkpoint cannot be read, in place of a library's traceback."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (OSError, SafetensorError, KeyError, RuntimeError, ValueError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        what = f"cannot be read as a Qwen2.5-VL checkpoint ({first}); bring its files again"
        raise RecipeError("reasoner", [Problem(str(folder), what)]) from error


def _whole(loaded: tuple[Any, dict[str, Any]]) -> Any:
    model, report = loaded
    if report["missing_keys"]:
        raise ValueError(f"{len(report['missing_keys'])} tensors are not in its files, {min(report['missing_keys'])}")
    return model


def _no_cpu_packing(model: torch.nn.Module) -> None:
    """Keep bitsandbytes from repacking 4-bit weights for AVX512-BF16 in evaluation.

    The packed form computes in bf16 and has no backward pass, and it stays when training goes on: gradients would
    silently stop at the first evaluation, and results would depend on the CPU.
    """
    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False
