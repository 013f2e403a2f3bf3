import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import skinframe

SIDE = 64


class MyName(skinframe.Dataset):
    """Discs on skin, drawn when they are asked for: a dark one is a melanoma. Two images a patient."""

    name = "my_name"
    level = "patient"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        images: int = 200

        def __post_init__(self) -> None:
            if self.images < 1:
                raise ValueError(f"images must be at least 1, got {self.images}")

    @property
    def classes(self) -> tuple[str, ...]:
        return ("melanoma", "nevus")

    @property
    def fields(self) -> tuple[skinframe.Field, ...]:
        return (skinframe.Field(name="age", low=0, high=120, unit="years"),)

    def samples(self) -> Sequence[skinframe.Sample]:
        return [
            skinframe.Sample(
                id=f"{number:06d}",
                image=f"{number}.png",
                label=number // 2 % 2,
                patient=f"p{number // 2}",
                metadata={"age": float(20 + number // 2 % 60)},
            )
            for number in range(self.config.images)
        ]

    def image_bytes(self, sample: skinframe.Sample) -> bytes:
        random = np.random.default_rng(int(sample.id))
        pixels = np.where(self._disc(sample)[:, :, None], 60 + 80 * sample.label, 200)
        noisy = (pixels + random.normal(0, 10, (SIDE, SIDE, 3))).clip(0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noisy).save(buffer, "PNG")
        return buffer.getvalue()

    def masks(self, sample: skinframe.Sample) -> Mapping[str, NDArray[np.bool_]]:
        return {"lesion": self._disc(sample)}

    def digest(self) -> str:
        # raise the number whenever an image, label or metadata value changes
        return hashlib.sha256(f"my_name 1, {self.config.images} images".encode()).hexdigest()

    def _disc(self, sample: skinframe.Sample) -> NDArray[np.bool_]:
        rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2
        return np.asarray(rows**2 + columns**2 < (10 + int(sample.id) % 15) ** 2)


@skinframe.hookimpl
def register_datasets() -> list[type[skinframe.Dataset]]:
    return [MyName]
