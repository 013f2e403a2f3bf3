"""What a model folder may not ask for: remote code, kernels from a hub, an adapter on another base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from skinframe import RecipeError
from skinframe.errors import Problem

MODEL_TYPE = "qwen2_5_vl"
CODE = ("auto_map", "custom_pipelines", "trust_remote_code")
ATTENTION = (None, "eager", "sdpa", "flash_attention_2")  # anything else names a kernel to be fetched
ADAPTER = "adapter_config.json"


def refuse_foreign(folder: Path, config: Mapping[str, Any]) -> None:
    """Raise RecipeError where `config.json` or the files beside it reach outside the folder. Nothing is loaded."""
    problems = [Problem(str(folder), what) for what in _problems(folder, config)]
    if problems:
        raise RecipeError("reasoner", problems)


def _problems(folder: Path, config: Mapping[str, Any]) -> Iterator[str]:
    kind = config.get("model_type", MODEL_TYPE)
    if kind != MODEL_TYPE:
        yield f"is a model of type {kind!r}; expected {MODEL_TYPE!r}"
    for name in CODE:
        if config.get(name):
            yield f"config.json sets '{name}', which names code to run; code from a model folder is never run"
    for name in ("_attn_implementation", "_attn_implementation_internal", "attn_implementation"):
        if config.get(name) not in ATTENTION:
            yield f"config.json asks for attention by {config[name]!r}; only transformers' own are used"
    if (folder / ADAPTER).is_file():
        yield f"holds {ADAPTER}: adapters of strangers are not read; name the base model's own folder"
