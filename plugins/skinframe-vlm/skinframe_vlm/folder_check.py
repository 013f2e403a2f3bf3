"""What is wrong with a model folder, from its JSON files and the headers of its weights: no weight is read."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from skinframe.safetensors_header import safetensors_header
from skinframe.untrusted_files import UnreadableError, inside, read_bytes, read_object

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
MAX_CONFIG, MAX_INDEX, MAX_TOKENIZER = 2**20, 64 * 2**20, 128 * 2**20  # bytes; Qwen2.5-VL 7B: 1.4 kB, 58 kB, 7 MB
LARGEST = 10_000_000  # of any size in a config.json; the largest published one is a vocabulary of 256,000
NUMBERS = ("hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers", "vocab_size")
OPTIONAL = ("num_key_value_heads", "head_dim", "depth", "num_heads", "patch_size", "spatial_merge_size", "image_size")
FLOATS = ("F64", "F32", "F16", "BF16")
VISION = re.compile(r"(^|[._])(visual|vision)([._]|$)")
LAYER = re.compile(r"(?:^|\.)(?:layers|blocks)\.(\d+)\.")
LINEAR = re.compile(
    r"(?:^|\.)layers\.(\d+)\.(?:self_attn|mlp)\.(q_proj|k_proj|v_proj|gate_proj|up_proj|down_proj)\.weight"
)
Header = Mapping[str, Mapping[str, Any]]


def config_problems(config: Mapping[str, Any], text: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the sizes in a config.json, and whether its weights are quantised already."""
    problems = []
    quantised = config.get("quantization_config") or text.get("quantization_config")
    if quantised:
        method = str(quantised.get("quant_method", "?"))[:40] if isinstance(quantised, Mapping) else "?"
        what = f"config.json has a quantization_config ({method}): its weights are quantised already"
        problems.append(f"{what}; name the folder of the original model, 'quantize: nf4' quantises it while loading")
    vision = config.get("vision_config") or {}
    sections = {"vision_config": vision if isinstance(vision, Mapping) else {}, "the language model's config": text}
    for where, section in sections.items():
        for name in (*NUMBERS, *OPTIONAL):
            value = section.get(name)
            needed = name in NUMBERS and section is text
            if (value is not None or needed) and (type(value) is not int or not 0 < value <= LARGEST):
                problems.append(f"{where}: {name} must be a whole number from 1 to {LARGEST:,}, got {_short(value)}")
    if not isinstance(vision, Mapping):
        problems.append("vision_config is not an object")
    return problems


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


def shards(folder: Path) -> list[str]:
    """Return the names of the weights files, from the index where there is one. Raises UnreadableError."""
    if not (folder / INDEX).exists():
        return [SINGLE]
    return sorted(set(_weight_map(folder).values()))


def _weight_map(folder: Path) -> dict[str, str]:
    index = folder / INDEX
    written = read_object(index, MAX_INDEX).get("weight_map")
    if not isinstance(written, dict) or not written or not all(isinstance(name, str) for name in written.values()):
        raise UnreadableError(index, "has no 'weight_map' from tensors to files")
    for name in set(written.values()):
        inside(folder, name)
    return written


def weight_problems(folder: Path, config: Mapping[str, Any], text: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the files of a folder; none where weights are not all here, which `missing` says.

    The headers are read again only where a file has changed.
    """
    try:
        names = shards(folder)
        files = [inside(folder, name) for name in (*names, "tokenizer.json")]
        if not all(file.exists() for file in files):
            return []
        state = tuple((file.stat().st_size, file.stat().st_mtime_ns) for file in files)
        header = _header(folder, tuple(names), (folder / INDEX).exists(), state)
    except UnreadableError as error:
        return [f"{Path(error.where).name} {error.reason}"]
    except OSError as error:
        return [(error.strerror or str(error)).lower()]
    return [*_quantised(header), *_layers(header, config, text), *_shapes(header, text)][:5]


@functools.lru_cache(maxsize=8)
def _header(folder: Path, names: Sequence[str], indexed: bool, state: tuple[Any, ...]) -> Header:
    """Return the headers of all files as one. Raises UnreadableError for a pointer, half a file, a wrong index."""
    start = read_bytes(folder / "tokenizer.json", MAX_TOKENIZER)[:64]
    if not start.lstrip().startswith(b"{"):
        pointer = start.startswith(b"version https://git-lfs")
        what = "is a Git LFS pointer; fetch it with 'git lfs pull'" if pointer else "is not a JSON object"
        raise UnreadableError(folder / "tokenizer.json", what)
    whole: dict[str, Mapping[str, Any]] = {}
    for name in names:
        header = safetensors_header(inside(folder, name))
        if indexed:
            listed = {tensor for tensor, file in _weight_map(folder).items() if file == name}
            if listed - header.keys():
                example = min(listed - header.keys())[:80]
                raise UnreadableError(folder / name, f"has no tensor {example!r}, which {INDEX} places in it")
        whole |= header
    return whole


def _quantised(header: Header) -> Iterator[str]:
    for name, entry in header.items():
        if entry["dtype"] not in FLOATS and len(entry["shape"]) > 1 and not name.endswith("position_ids"):
            what = f"the tensor {name[:80]!r} is stored as {entry['dtype']}: the weights are quantised already"
            yield f"{what}; name the folder of the original model"
            return


def _layers(header: Header, config: Mapping[str, Any], text: Mapping[str, Any]) -> Iterator[str]:
    vision: Mapping[str, Any] = config.get("vision_config") or {}
    for seen, expected, title in (
        (False, text.get("num_hidden_layers"), "language model"),
        (True, vision.get("depth") or vision.get("num_hidden_layers"), "vision tower"),
    ):
        names = [name for name in header if bool(VISION.search(name)) == seen]
        found = {int(match[1][:9]) for match in map(LAYER.search, names) if match}
        if found and type(expected) is int and found != set(range(expected)):
            yield f"the files hold {len(found)} layers of the {title}, config.json says {expected}"


def _shapes(header: Header, text: Mapping[str, Any]) -> Iterator[str]:
    """Compare the linear layers and the embedding with the sizes in config.json; the first that differs is named."""
    H, inner, heads = text["hidden_size"], text["intermediate_size"], text["num_attention_heads"]
    width = text.get("head_dim") or H // heads
    keys = (text.get("num_key_value_heads") or heads) * width
    expected = {"q_proj": [heads * width, H], "k_proj": [keys, H], "v_proj": [keys, H]}
    expected |= {"gate_proj": [inner, H], "up_proj": [inner, H], "down_proj": [H, inner]}
    for name, entry in header.items():
        if VISION.search(name):
            continue
        linear = LINEAR.search(name)
        wanted = expected[linear[2]] if linear else None
        if name.endswith("embed_tokens.weight"):
            wanted = [text["vocab_size"], H]
        if wanted is not None and list(entry["shape"]) != wanted:
            shown = " x ".join(map(str, entry["shape"]))
            yield f"{name} is {shown} in the files, {wanted[0]} x {wanted[1]} by config.json"
            return
