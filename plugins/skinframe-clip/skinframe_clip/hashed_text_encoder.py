"""The `hashed_text` encoder: words hashed into a fixed width, the text side for encoders that have none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import skinframe
from skinframe import ModuleRow, Tower
from skinframe.components import Shape
from skinframe.lazy import F, torch
from skinframe_clip.encoder_digest import digest_of

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

WORD = re.compile(r"[^\W_]+")


def hashed_counts(text: str, width: int, ngrams: int) -> list[float]:
    """Return signed counts [width] of a text's word n-grams (Weinberger et al. 2009, arXiv:0902.2206).

    counts[h(g) mod width] += s(g) for each n-gram g of 1 to `ngrams` words, with s(g) in {-1, +1}: collisions cancel
    on average, so dot products estimate those of the full bag of words without bias.
    """
    words = WORD.findall(text.lower())
    counts = [0.0] * width
    for n in range(1, ngrams + 1):
        for start in range(len(words) - n + 1):
            gram = " ".join(words[start : start + n])
            value = int.from_bytes(hashlib.blake2b(gram.encode(), digest_size=8).digest(), "big")
            counts[(value >> 1) % width] += 1.0 if value & 1 else -1.0
    return counts


class HashedText(skinframe.Encoder):
    """Hashed bag of words (Weinberger et al. 2009, arXiv:0902.2206): `text_embedding` [D], unit length, no weights."""

    name = "hashed_text"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """`width` is D; `ngrams` is the longest run of words that counts as one feature."""

        width: int = 256
        ngrams: int = 2

        def __post_init__(self) -> None:
            if not 8 <= self.width <= 65536:
                raise ValueError(f"width must be in [8, 65536], got {self.width}")
            if not 1 <= self.ngrams <= 5:
                raise ValueError(f"ngrams must be in [1, 5], got {self.ngrams}")

    def provides(self) -> Mapping[str, Shape]:
        return {"text_embedding": (self.config.width,)}

    def digest(self) -> str:
        return digest_of({"encoder": self.name, **asdict(self.config)})

    def load(self, device: str) -> Tower:
        return HashedTower(self.config.width, self.config.ngrams)

    def modules(self) -> list[ModuleRow]:
        return [ModuleRow(name="hashed words", role="frozen", parameters=0, bytes=0)]


class HashedTower(Tower):
    """The hash itself; it has nothing to load."""

    def __init__(self, width: int, ngrams: int) -> None:
        self.width, self.ngrams = width, ngrams

    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        """Give no image signal."""
        self.calls += 1
        return {}

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Encode texts to unit vectors [B, D]; a text without words becomes the zero vector."""
        self.calls += 1
        return F.normalize(torch.tensor([hashed_counts(text, self.width, self.ngrams) for text in texts]), dim=-1)
