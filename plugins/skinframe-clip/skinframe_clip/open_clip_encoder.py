"""The `open_clip` encoder: a frozen CLIP with its patch tokens, image embedding and text embedding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal

import skinframe
from skinframe import ModuleRow, Requirement, Tower
from skinframe.components import Shape
from skinframe.errors import Problem, RecipeError
from skinframe.file_digest import file_digest
from skinframe_clip.clip_architecture import Architecture
from skinframe_clip.clip_weights import HUB_PREFIX, Source, find
from skinframe_clip.encoder_digest import digest_of
from skinframe_clip.image_preprocessing import FITS, Fit, Preprocess

if TYPE_CHECKING:
    from PIL.Image import Image

Precision = Literal["fp32", "bf16", "fp16"]
BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}


class OpenClip(skinframe.Encoder):
    """A frozen CLIP (Radford et al. 2021, arXiv:2103.00020) in open_clip's format.

    Signals, of one image or text:
        image_tokens [P, V]: the patch tokens that leave block `layer` of the image tower, through its final layer
            norm (`ln_post`), without the class token and before the projection; averaged to `grid` x `grid` if set.
        image_embedding [D]: the pooled and projected image feature, unit length.
        text_embedding [D]: the projected text feature, unit length.
    """

    name = "open_clip"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """`model`: `embedded:clip`, a folder in open_clip's format, `hf-hub:ORG/REPO` (from the local hub cache), or
        an architecture such as `ViT-L-14` with `pretrained: openai`. Weights are safetensors, and never downloaded.
        """

        model: str = "embedded:clip"
        pretrained: str | None = None
        precision: Precision = "fp32"
        layer: int = -1
        grid: int | None = None
        fit: Fit | None = None

        def __post_init__(self) -> None:
            if self.precision not in BYTES:
                raise ValueError(f"precision must be fp32, bf16 or fp16, got {self.precision!r}")
            if self.layer >= 0:
                raise ValueError(f"layer counts from the last block, -1 and down, got {self.layer}")
            if self.grid is not None and self.grid < 1:
                raise ValueError(f"grid must be at least 1, got {self.grid}")
            if self.fit is not None and self.fit not in FITS:
                raise ValueError(f"fit must be one of {', '.join(FITS)}, got {self.fit!r}")
            if self.pretrained is not None and self.model.startswith(("embedded:", HUB_PREFIX)):
                raise ValueError(f"pretrained goes with an architecture's name; {self.model!r} names its own weights")

    def source(self) -> Source:
        """Return where the model stands. Raises RecipeError where the name means nothing."""
        return find(self.config.model, self.config.pretrained)

    def architecture(self, source: Source) -> Architecture:
        if source.architecture is None:
            raise RecipeError("open_clip", [Problem(source.label, f"not on this machine; run: {source.next_step}")])
        architecture = Architecture.read(source.label, source.architecture)
        if -self.config.layer > architecture.layers:
            what = f"layer {self.config.layer} does not exist: the tower has {architecture.layers} blocks"
            raise RecipeError("open_clip", [Problem(source.label, what)])
        if self.config.grid is not None and self.config.grid > min(architecture.rows, architecture.columns):
            what = f"grid {self.config.grid} is finer than the tower's {architecture.rows} x {architecture.columns}"
            raise RecipeError("open_clip", [Problem(source.label, what)])
        return architecture

    def preprocess(self, source: Source) -> Preprocess:
        size = self.architecture(source).image_size
        try:
            preprocess = Preprocess.from_json(source.preprocess, size)
        except (TypeError, ValueError) as error:
            raise RecipeError("open_clip", [Problem(source.label, f"preprocess_cfg: {error}")]) from error
        return preprocess if self.config.fit is None else replace(preprocess, fit=self.config.fit)

    def provides(self) -> Mapping[str, Shape]:
        architecture, grid = self.architecture(self.source()), self.config.grid
        patches = architecture.rows * architecture.columns if grid is None else grid * grid
        return {
            "image_tokens": (patches, architecture.width),
            "image_embedding": (architecture.embedding,),
            "text_embedding": (architecture.embedding,),
        }

    def digest(self) -> str:
        """Return the digest of weights, architecture, preprocessing, layer, grid and dtype.

        Without weights on this machine it stands for the declaration alone; no row can be cached under it, since
        `load` refuses.
        """
        source = self.source()
        return digest_of(
            {
                "encoder": self.name,
                "weights": f"absent: {source.label}" if source.weights is None else file_digest(source.weights),
                "architecture": source.architecture,
                "preprocess": None if source.architecture is None else asdict(self.preprocess(source)),
                "precision": self.config.precision,
                "layer": self.config.layer,
                "grid": self.config.grid,
                "tokenizer": self._tokenizer_digest(source),
            }
        )

    def load(self, device: str) -> Tower:
        """Load the frozen model. Raises RecipeError where weights are absent, DataError where they do not fit."""
        source = self.source()
        if source.weights is None:
            what = f"weights are not on this machine; run: {source.next_step}"
            raise RecipeError("open_clip", [Problem(source.label, what)])
        architecture, preprocess = self.architecture(source), self.preprocess(source)
        from skinframe_clip._clip_tower import load

        return load(source, architecture, preprocess.transform(), self.config, device)

    def seen(self, image: Image) -> Image:
        return self.preprocess(self.source()).square(image)

    def modules(self) -> list[ModuleRow]:
        """Count both towers on the meta device; the image tower's row includes its projection to D."""
        source = self.source()
        architecture = self.architecture(source)
        from skinframe_clip._clip_tower import count

        image, text = count(source, self.config.precision)
        return [
            ModuleRow(name="CLIP image tower", role="frozen", parameters=image[0], bytes=image[1],
                      flops_per_sample=architecture.flops),
            ModuleRow(name="CLIP text tower", role="frozen", parameters=text[0], bytes=text[1]),
        ]  # fmt: skip

    def missing(self) -> list[Requirement]:
        source = self.source()
        if source.weights is not None:
            return []
        return [Requirement(what=f"weights of {source.label}", next_step=source.next_step)]

    def _tokenizer_digest(self, source: Source) -> list[str]:
        """Return the digests of a tokenizer that stands in the folder; open_clip's built-in one is part of its code."""
        files = [] if source.folder is None else sorted(source.folder.glob("tokenizer*.json"))
        return [file_digest(file) for file in files]
