"""A real, small frozen encoder and small real images; also run as a script by the tests that kill a writer."""

import hashlib
import io
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from skinframe import Encoder, Tower
from skinframe.features import extract_images

SIZE = 24


class SmallTower(Tower):
    """A two-layer convolution with 3 x 3 cells of width 5, and a projection of letter counts to 5."""

    def __init__(self, seed: int, pause: float = 0.0) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.first = torch.randn(8, 3, 4, 4, generator=generator)
        self.second = torch.randn(5, 8, 2, 2, generator=generator)
        self.words = torch.randn(256, 5, generator=generator)
        self.pause = pause
        self.rows = 0

    @torch.inference_mode()
    def images(self, images):
        self.calls += 1
        self.rows += len(images)
        time.sleep(self.pause)
        pixels = torch.stack([torch.from_numpy(np.asarray(i, dtype=np.float32) / 255).permute(2, 0, 1) for i in images])
        features = torch.nn.functional.conv2d(pixels, self.first, stride=4).relu()
        features = torch.nn.functional.conv2d(features, self.second, stride=2)
        return {"image_tokens": features.flatten(2).transpose(1, 2), "image_embedding": features.mean((2, 3))}

    def texts(self, texts):
        self.calls += 1
        self.rows += len(texts)
        out = torch.stack([self.words[list(text.encode()) or [0]].sum(0) for text in texts])
        return torch.nn.functional.normalize(out, dim=-1)


class Small(Encoder):
    """Not registered; `seed` stands for its weights."""

    name = "small"

    def __init__(self, seed=0, pause=0.0):
        super().__init__()
        self.seed, self.pause = seed, pause
        self.loads = 0
        self.tower = None

    def provides(self):
        return {"image_tokens": (9, 5), "image_embedding": (5,), "text_embedding": (5,)}

    def digest(self):
        return hashlib.sha256(f"small {self.seed}".encode()).hexdigest()

    def load(self, device):
        self.loads += 1
        self.tower = SmallTower(self.seed, self.pause)
        return self.tower


class Pictures:
    """n different images as PNG bytes, their keys, and a count of decodes."""

    def __init__(self, n, start=0):
        self.data = []
        for index in range(start, start + n):
            pixels = np.random.default_rng(index).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, "PNG")
            self.data.append(buffer.getvalue())
        self.keys = [hashlib.sha256(data).hexdigest() for data in self.data]
        self.decoded = 0

    def load(self, index):
        self.decoded += 1
        return Image.open(io.BytesIO(self.data[index])).convert("RGB")


def extract(encoder, pictures, root, **options):
    return extract_images(encoder, pictures.keys, pictures.load, root=root, **options)


if __name__ == "__main__":
    folder, count, delay = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    torch.set_num_threads(1)
    encoder = Small(pause=delay)
    features = extract(encoder, Pictures(count), folder)
    print(encoder.tower.rows if encoder.tower else 0, features.digest)
