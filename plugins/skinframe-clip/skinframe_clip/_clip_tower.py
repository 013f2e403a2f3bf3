"""The loaded CLIP. Everything here needs torch and open_clip; the component imports it when it loads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import open_clip
import torch
from open_clip.model import convert_weights_to_lp
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from skinframe import DataError, Tower
from skinframe.printable_text import printable
from skinframe.untrusted_files import UnreadableError, parse_object, read_object, read_text
from skinframe_clip.clip_architecture import Architecture
from skinframe_clip.clip_weights import TOKENIZER_CONFIG, Source
from skinframe_clip.image_preprocessing import pool_grid
from skinframe_clip.transformers_clip import open_clip_state

if TYPE_CHECKING:
    from PIL.Image import Image

SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
SIDES = ("padding_side", "truncation_side")
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class ClipTower(Tower):
    """A CLIP in evaluation mode. `logit_scale` is the inverse temperature that it was trained to, exp(t)."""

    def __init__(
        self,
        model: Any,  # open_clip.CLIP, which has no type hints for its towers
        architecture: Architecture,
        transform: Callable[[Image], Tensor],
        tokenizer: Callable[[list[str]], Tensor],
        config: Any,
        device: str,
    ) -> None:
        self.model = model
        self.architecture = architecture
        self.transform = transform
        self.tokenizer = tokenizer
        self.layer = architecture.layers + config.layer
        self.grid: int | None = config.grid
        self.dtype = DTYPES[config.precision]
        self.device = device
        self.logit_scale = float(torch.exp(self.model.logit_scale.detach()))

    @torch.inference_mode()
    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        """Encode RGB images: `image_tokens` [B, P, V] and `image_embedding` [B, D], float32 on the CPU."""
        self.calls += 1
        pixels = torch.stack([self.transform(image) for image in images]).to(self.device, self.dtype)
        out = self.model.visual.forward_intermediates(
            pixels, indices=[self.layer], normalize_intermediates=True, output_fmt="NCHW"
        )
        return {
            "image_tokens": pool_grid(out["image_intermediates"][0].float(), self.grid).cpu(),
            "image_embedding": F.normalize(out["image_features"].float(), dim=-1).cpu(),
        }

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """Encode texts to unit vectors [B, D]; a text beyond the model's context length is cut there."""
        self.calls += 1
        tokens = self.tokenizer(list(texts)).to(self.device)
        return F.normalize(self.model.encode_text(tokens).float(), dim=-1).cpu()


def build(source: Source, precision: str) -> nn.Module:
    """Return the architecture with fresh weights, in open_clip's mixed precision (layer norms stay float32)."""
    dtype = DTYPES[precision]
    low = precision != "fp32"
    model: nn.Module = open_clip.CLIP(**_options(source), cast_dtype=dtype if low else None)
    if low:
        convert_weights_to_lp(model, dtype=dtype)
    return model


def load(
    source: Source, architecture: Architecture, transform: Callable[[Image], Tensor], config: Any, device: str
) -> ClipTower:
    """Read a safetensors checkpoint; every key must match. Raises DataError naming the file."""
    model = build(source, config.precision)
    try:
        if source.layout == "transformers":
            model.load_state_dict(open_clip_state(load_file(str(source.weights))))
        else:
            open_clip.load_checkpoint(model, str(source.weights), strict=True)
    except (SafetensorError, RuntimeError, KeyError, ValueError, TypeError, OSError) as error:
        raise DataError(f"{source.weights}: not a checkpoint of {source.label}: {_short(error)}") from error
    model = model.to(device).eval().requires_grad_(False)
    return ClipTower(model, architecture, transform, _tokenizer(source), config, device)


def count(source: Source, precision: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (parameters, bytes) of the image tower and of the rest, on the meta device: no memory, no weights."""
    with torch.device("meta"):
        model = build(source, precision)
    image = [parameter for name, parameter in model.named_parameters() if name.startswith("visual.")]
    text = [parameter for name, parameter in model.named_parameters() if not name.startswith("visual.")]
    return _sizes(image), _sizes(text)


def _sizes(parameters: Sequence[Tensor]) -> tuple[int, int]:
    return sum(module.numel() for module in parameters), sum(
        module.numel() * module.element_size() for module in parameters
    )


def _options(source: Source) -> dict[str, Any]:
    """Return the constructor's arguments. `read` has refused those that would reach for other libraries."""
    return {key: value for key, value in (source.architecture or {}).items() if key != "custom_text"}


def _short(error: Exception) -> str:
    """Return the first two lines: torch lists every key of a state that does not fit."""
    return printable(" ".join(" ".join(str(error).splitlines()[:2]).split())[:300])


def _tokenizer(source: Source) -> Callable[[list[str]], Tensor]:
    """Return CLIP's own tokenizer, or the one in the model's folder where the architecture names one."""
    text = (source.architecture or {}).get("text_cfg", {})
    length, options = int(text.get("context_length", 77)), dict(text.get("tokenizer_kwargs") or {})
    if source.folder is not None and text.get("hf_tokenizer_name"):
        return FolderTokenizer(source.folder, length, **options)
    return open_clip.SimpleTokenizer(context_length=length, **options)  # type: ignore[no-any-return]


class FolderTokenizer:
    """The tokenizer.json of a folder, in one concrete class: nothing in the folder chooses code."""

    def __init__(self, folder: Path, length: int, clean: str = "whitespace", strip_sep_token: bool = False) -> None:
        from transformers import PreTrainedTokenizerFast

        options = read_object(folder / TOKENIZER_CONFIG) if (folder / TOKENIZER_CONFIG).exists() else {}
        tokens = {name: _token(options[name]) for name in SPECIAL if options.get(name) is not None}
        sides = {name: options[name] for name in SIDES if options.get(name) in ("left", "right")}
        parse_object(read_text(folder / "tokenizer.json"), folder / "tokenizer.json")
        try:
            tokenizer: Any = PreTrainedTokenizerFast  # its __init__ has no types
            self._fast = tokenizer(
                tokenizer_file=str(folder / "tokenizer.json"), **tokens, **sides, clean_up_tokenization_spaces=False
            )
        except Exception as error:  # the Rust parser raises bare exceptions
            raise UnreadableError(folder / "tokenizer.json", f"is not a tokenizer ({_short(error)})") from error
        self._length, self._strip = length, strip_sep_token
        self._clean: Any = open_clip.tokenizer.get_clean_fn(clean)

    def __call__(self, texts: list[str]) -> Tensor:
        """Return token ids [B, length]: cut there, padded to it."""
        ids: Tensor = self._fast(
            [self._clean(text) for text in texts],
            return_tensors="pt",
            max_length=self._length,
            padding="max_length",
            truncation=True,
        ).input_ids
        if self._strip:
            ids = torch.where(ids == self._fast.sep_token_id, torch.zeros_like(ids), ids)
        return ids


def _token(written: Any) -> str:
    """Return a special token, which older files write as an object."""
    return str(written.get("content", "")) if isinstance(written, dict) else str(written)
