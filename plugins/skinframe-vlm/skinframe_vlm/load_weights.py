"""Read a checkpoint: the language model without its eyes, or the eyes without the language model.

The same code for the tiny and the full-size models. Concrete classes, safetensors only, no remote code, no network.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import BitsAndBytesConfig
from transformers.utils import logging as hub_logging

from skinframe import RecipeError
from skinframe.errors import Problem
from skinframe.untrusted_files import read_object
from skinframe_vlm.folder_check import MAX_CONFIG
from skinframe_vlm.local_checkpoint import without_dtypes
from skinframe_vlm.model_family import Family

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
SOURCE: dict[str, Any] = {
    "use_safetensors": True,
    "local_files_only": True,
    "trust_remote_code": False,
    "attn_implementation": "sdpa",
    "output_loading_info": True,  # a tensor that no file holds is otherwise drawn at random, with a mere warning
}


@contextmanager
def quiet_import() -> Iterator[None]:
    """Hide bitsandbytes' advice to install a package of CPU kernels, which nothing here needs."""
    advice = logging.getLogger("bitsandbytes.backends.cpu.ops")
    level = advice.level
    advice.setLevel(logging.ERROR)
    try:
        yield
    finally:
        advice.setLevel(level)


with quiet_import():
    from bitsandbytes.nn import Linear4bit


def load_language_model(family: Family, folder: Path, quantize: str, precision: str, device: str) -> Any:
    """Return the frozen language model with its LM head; with `nf4`, its decoder's linear layers in 4 bits.

    NF4 with double quantisation (Dettmers et al. 2023, arXiv:2305.14314) reaches the decoder's linear layers only:
    the eyes are not loaded, and `unquantized` parts such as the LM head are excluded.
    """
    nf4 = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=DTYPES[precision],
        llm_int8_skip_modules=list(family.unquantized),
    )
    model = _load(family, folder, family.eyes, precision, device, nf4 if quantize == "nf4" else None)
    for module in model.modules():
        # bitsandbytes may repack 4-bit weights for AVX512-BF16 in evaluation. That form computes in bf16, has no
        # backward pass, and stays when training goes on: gradients would silently stop at the first evaluation.
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False
    return model.requires_grad_(False)


def load_eyes(family: Family, folder: Path, precision: str, device: str) -> Any:
    """Return the model with its frozen vision parts alone, in evaluation mode; no language weight is read."""
    model = _load(family, folder, family.language_side, precision, device, None)
    return model.requires_grad_(False).eval()


def without(model_class: Any, parts: Sequence[str], *, tied: bool) -> Any:
    """Return a subclass whose submodules `parts` are dropped before any weight is read.

    It goes by its parent's names: transformers renames the keys of published checkpoints for its own classes only.
    `tied`: whether the LM head that may share the embedding's weights is still there.
    """
    names = "|".join(re.escape(part.rpartition(".")[2]) for part in parts)

    def initialise(self: Any, config: Any) -> None:
        model_class.__init__(self, config)
        for part in parts:
            owner, _, name = part.rpartition(".")
            delattr(self.get_submodule(owner) if owner else self, name)
        if not tied:
            self.all_tied_weights_keys = {}

    members: dict[str, Any] = {
        "__init__": initialise,
        "__module__": model_class.__module__,
        "_keys_to_ignore_on_load_unexpected": [rf"(^|\.)({names})\."],
    }
    if not tied:
        members["_tied_weights_keys"] = {}
    return type(model_class.__name__, (model_class,), members)


def _load(family: Family, folder: Path, parts: Sequence[str], precision: str, device: str, quantizer: Any) -> Any:
    config_class, model_class = family.classes()
    with _no_progress_bars(), _readable(family, folder):
        model, report = without(model_class, parts, tied=parts == family.eyes).from_pretrained(
            folder,
            config=config_class.from_dict(_config(folder)),
            dtype=DTYPES[precision],
            device_map={"": device},
            quantization_config=quantizer,
            **SOURCE,
        )
        absent = report["missing_keys"]
        if absent:
            raise ValueError(f"{len(absent)} tensors are not in its files, among them {min(absent)}")
    return model


def _config(folder: Path) -> dict[str, Any]:
    """Return the config.json that the plan has checked, without the dtype of its weights."""
    return without_dtypes(read_object(folder / "config.json", MAX_CONFIG))


@contextmanager
def _readable(family: Family, folder: Path) -> Iterator[None]:
    """Name the checkpoint that cannot be read instead of a library's traceback."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (OSError, SafetensorError, KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        what = f"cannot be read as a {family.title} checkpoint ({first}); download its files again"
        raise RecipeError("reasoner", [Problem(str(folder), what)]) from error


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Hide transformers' progress bars: a run has a display of its own."""
    shown = hub_logging.is_progress_bar_enabled()
    hub_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            hub_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
