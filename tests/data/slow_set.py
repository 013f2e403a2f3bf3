"""A set that draws its images slowly, importable by a worker process."""

import hashlib
import io
import os
import signal
import time
from collections.abc import Sequence

import numpy as np
from PIL import Image

from skinframe import Dataset, Field, Sample


class SlowSet(Dataset):
    name = "slow"
    wait = 0.0

    @property
    def classes(self) -> tuple[str, ...]:
        return ("a", "b")

    @property
    def fields(self) -> tuple[Field, ...]:
        return ()

    def samples(self) -> Sequence[Sample]:
        return [Sample(id=f"s{i:04d}", image=f"s{i:04d}.png", label=i % 2) for i in range(150)]

    def image_bytes(self, sample: Sample) -> bytes:
        number = int(sample.id[1:])
        time.sleep(self.wait)
        if number % 50 == 7:
            return b"<html>"
        out = io.BytesIO()
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (20, 20, 3), np.uint8)).save(out, "PNG")
        return out.getvalue()

    def digest(self) -> str:
        return hashlib.sha256(b"slow").hexdigest()


class SlowerSet(SlowSet):
    wait = 0.05


class DeadlySet(SlowSet):
    """Kills the worker that reads its 40th image."""

    def image_bytes(self, sample: Sample) -> bytes:
        if sample.id == "s0040":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().image_bytes(sample)


class StuckSet(SlowSet):
    """Hangs at its 40th image, as a file on a disk that went away does."""

    def image_bytes(self, sample: Sample) -> bytes:
        if sample.id == "s0040":
            time.sleep(3600)
        return super().image_bytes(sample)
