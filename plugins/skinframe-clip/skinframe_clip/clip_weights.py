"""Where a CLIP stands: its architecture and, when they are on this machine, its weights. Nothing here downloads."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.safetensors_header import safetensors_header
from skinframe.untrusted_files import UnreadableError, inside, read_object
from skinframe.weight_location import PREFIX, resolve
from skinframe_clip import transformers_clip

CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
HUB_PREFIX = "hf-hub:"
CONFIG_CAP = 1_000_000  # bytes; a real one has about a thousand
CODE = ("auto_map", "custom_pipelines", "trust_remote_code")  # keys that name code to run
TOKENIZER_CONFIG = "tokenizer_config.json"

# The published OpenAI weights: architecture -> (open_clip's config with the activation they were trained with, hub id).
OPENAI = {
    "ViT-B-32": ("ViT-B-32-quickgelu", "timm/vit_base_patch32_clip_224.openai"),
    "ViT-B-16": ("ViT-B-16-quickgelu", "timm/vit_base_patch16_clip_224.openai"),
    "ViT-L-14": ("ViT-L-14-quickgelu", "timm/vit_large_patch14_clip_224.openai"),
    "ViT-L-14-336": ("ViT-L-14-336-quickgelu", "timm/vit_large_patch14_clip_336.openai"),
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """A CLIP's architecture (None while even that must be fetched), its weights file, and what would bring it."""

    label: str
    architecture: Mapping[str, Any] | None
    preprocess: Mapping[str, Any]
    weights: Path | None
    folder: Path | None  # holds tokenizer files where the architecture asks for them
    next_step: str
    layout: Literal["open_clip", "transformers"] = "open_clip"  # of the weights' names


def find(model: str, pretrained: str | None) -> Source:
    """Return the source that `model` names: `embedded:NAME`, `hf-hub:ORG/REPO`, a folder, or an architecture.

    Raises RecipeError where the name means nothing or the folder is not in open_clip's format.
    """
    if model.startswith(PREFIX):
        return _from_folder(model, resolve(model))
    if model.startswith(HUB_PREFIX):
        return _from_hub(model)
    if pretrained is not None:
        return _from_architecture(model, pretrained)
    if Path(model).expanduser().is_dir():
        return _from_folder(model, Path(model).expanduser())
    known = [*architectures(), "embedded:clip"]
    why = "needs `pretrained`, the tag of its weights" if model in known else "no such folder or architecture"
    raise RecipeError("open_clip", [Problem("model", f"{model!r}: {why}{did_you_mean(model, known)}")])


def architectures() -> dict[str, Path]:
    """Return the architectures that the installed open_clip describes: name -> its JSON file. Imports no torch."""
    spec = importlib.util.find_spec("open_clip")
    places = spec.submodule_search_locations if spec is not None else None
    files = [file for place in places or () for file in (Path(place) / "model_configs").glob("*.json")]
    return {file.stem: file for file in sorted(files)}


def _from_architecture(model: str, pretrained: str) -> Source:
    if pretrained != "openai" or model not in OPENAI:
        what = f"no weights tagged {pretrained!r} known for {model!r}{did_you_mean(model, OPENAI)} (tag 'openai'); "
        what += "for others give `hf-hub:ORG/REPO` or a folder in open_clip's format, without `pretrained`"
        raise RecipeError("open_clip", [Problem("pretrained", what)])
    config, repository = OPENAI[model]
    return Source(
        label=f"{model} ({pretrained})",
        architecture=_read_json(architectures()[config]),
        preprocess={},
        weights=_cached(repository, WEIGHTS_FILE),
        folder=None,
        next_step=f"hf download {repository} {WEIGHTS_FILE}",
    )


def _from_hub(model: str) -> Source:
    repository = model.removeprefix(HUB_PREFIX)
    step = f"hf download {repository}"
    config = _cached(repository, CONFIG_FILE) or _cached(repository, transformers_clip.CONFIG)
    if config is None:
        return Source(label=model, architecture=None, preprocess={}, weights=None, folder=None, next_step=step)
    source = _from_folder(model, config.parent)
    return source if source.weights is not None else replace(source, next_step=_hub_step(repository, source, step))


def _hub_step(repository: str, found: Source, step: str) -> str:
    """Return what brings the weights; never the command that has brought the folder which lacks them."""
    name = WEIGHTS_FILE if found.layout == "open_clip" else transformers_clip.WEIGHTS
    others = ", ".join(f"{other} (tag openai: {hub})" for other, (_, hub) in OPENAI.items())
    return f"{step} {name}; if that repository has no such file, use one that has: {others}"


def _from_folder(label: str, folder: Path) -> Source:
    """Read a folder in open_clip's or in the transformers format. Pickled weights beside it are never looked at."""
    _refuse_code(folder)
    other = folder / transformers_clip.CONFIG
    if not (folder / CONFIG_FILE).exists() and other.exists():
        config = _read_json(other)
        if config.get("model_type") != "clip":
            kind = str(config.get("model_type"))[:40]
            what = f"is of model type {kind!r}; expected a folder with {CONFIG_FILE}, or a transformers CLIP ('clip')"
            raise RecipeError("open_clip", [Problem(str(other), what)])
        processor = folder / transformers_clip.PREPROCESS
        return Source(
            label=label,
            architecture=transformers_clip.model_cfg(str(other), config),
            preprocess=transformers_clip.preprocess_cfg(_read_json(processor)) if processor.exists() else {},
            weights=_weights(folder, transformers_clip.WEIGHTS),
            folder=None,  # the vocabulary is the one that is built in
            next_step=f"put {transformers_clip.WEIGHTS} into {folder}; pickled checkpoints are not read",
            layout="transformers",
        )
    written = _read_json(folder / CONFIG_FILE)
    if not isinstance(written.get("model_cfg"), dict):
        raise RecipeError("open_clip", [Problem(str(folder / CONFIG_FILE), "has no 'model_cfg'")])
    preprocess = written.get("preprocess_cfg") or {}
    if not isinstance(preprocess, dict):
        raise RecipeError("open_clip", [Problem(str(folder / CONFIG_FILE), "'preprocess_cfg' is not an object")])
    return Source(
        label=label,
        architecture=written["model_cfg"],
        preprocess=preprocess,
        weights=_weights(folder, WEIGHTS_FILE),
        folder=folder,
        next_step=f"put {WEIGHTS_FILE} into {folder}; pickled checkpoints are not read",
    )


def _weights(folder: Path, name: str) -> Path | None:
    """Return a weights file whose header describes it whole. Raises RecipeError for a pointer or half a download."""
    if not (folder / name).exists():
        return None
    try:
        safetensors_header(inside(folder, name))
    except UnreadableError as error:
        raise RecipeError("open_clip", [Problem(error.where, error.reason)]) from error
    return folder / name


def _refuse_code(folder: Path) -> None:
    for name in (CONFIG_FILE, transformers_clip.CONFIG, transformers_clip.PREPROCESS, TOKENIZER_CONFIG):
        written = _read_json(folder / name) if (folder / name).exists() else {}
        asked = [key for key in CODE if written.get(key)]
        if asked:
            what = f"sets '{asked[0]}', which names code to run; remove it: such code is never run"
            raise RecipeError("open_clip", [Problem(str(folder / name), what)])


def _cached(repository: str, file: str) -> Path | None:
    """Return a file of the hub's local cache, or None; never asks the network."""
    from huggingface_hub import try_to_load_from_cache

    try:
        path = try_to_load_from_cache(repository, file)
    except ValueError as error:
        raise RecipeError("open_clip", [Problem("model", f"{repository!r} is not a hub id: {error}")]) from error
    return Path(path) if isinstance(path, str) else None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return read_object(path, CONFIG_CAP)
    except UnreadableError as error:
        raise RecipeError("open_clip", [Problem(error.where, error.reason)]) from error
