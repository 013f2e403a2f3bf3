"""One deliberately wrong data set for each check of the contract kit."""

from __future__ import annotations

import hashlib
import io
import itertools
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

import skinframe

COUNTER = itertools.count()


class Right(skinframe.Dataset):
    """Squares of one grey each, two a patient; passes every check."""

    name = "right"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        count: int = 8

    @property
    def classes(self):
        return ("dark", "light")

    @property
    def fields(self):
        return (skinframe.Field(name="age", low=0, high=120),)

    def sample(self, number):
        split = "test" if number < 2 else "train"
        common = {"patient": f"p{number // 2}", "metadata": {"age": float(number)}, "split": split}
        return skinframe.Sample(id=f"s{number}", image=f"{number}.png", label=number % 2, **common)

    def samples(self):
        return [self.sample(number) for number in range(self.config.count)]

    def image_bytes(self, sample):
        buffer = io.BytesIO()
        Image.new("RGB", (20, 16), (10 + 200 * sample.label,) * 3).save(buffer, "PNG")
        return buffer.getvalue()

    def masks(self, sample):
        return {"lesion": np.ones((16, 20), dtype=np.bool_)}

    def posterior(self, sample):
        return np.eye(2)[sample.label]

    def digest(self):
        return hashlib.sha256(f"right 1 {self.config.count}".encode()).hexdigest()


MEMBERS = {name: value for name, value in vars(Right).items() if name not in ("__doc__", "__dict__", "__weakref__")}
Undescribed = type("Undescribed", (skinframe.Dataset,), {n: v for n, v in MEMBERS.items() if not n.startswith("_abc")})


class Shuffled(Right):
    def samples(self):
        found = super().samples()
        turn = 1 + next(COUNTER) % 3
        return found[turn:] + found[:turn]


class SameId(Right):
    def sample(self, number):
        return replace(super().sample(number), id=f"s{number // 2}")


class SaysPatient(Right):
    """Released without patient ids, and says that its groups are patients."""

    def sample(self, number):
        found = super().sample(number)
        return replace(found, patient=None, lesion=found.patient)


class LeakySplit(Right):
    def sample(self, number):
        return replace(super().sample(number), split="test" if number < 3 else "train")


class Truncated(Right):
    def image_bytes(self, sample):
        return super().image_bytes(sample)[:60]

    def masks(self, sample):
        return {}


class TurnedMask(Right):
    def masks(self, sample):
        return {"lesion": np.ones((20, 16), dtype=np.bool_)}


class Unnormalised(Right):
    def posterior(self, sample):
        return np.full(2, 0.6)


class OptionOutsideDigest(Right):
    def digest(self):
        return hashlib.sha256(b"right 1").hexdigest()


RIGHT = [Right()]
WRONG = {
    "described": Undescribed(),
    "ordered": Shuffled(),
    "accepted": SameId(),
    "grouped": SaysPatient(),
    "unsplit": LeakySplit(),
    "decodes": Truncated(),
    "masks": TurnedMask(),
    "posterior": Unnormalised(),
    "digested": OptionOutsideDigest(),
}
ALSO = {
    "ordered": {"digested"},  # no digest names an order that changes by itself
    "decodes": {"masks"},  # which are laid over a picture
}
