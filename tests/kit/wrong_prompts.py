"""One deliberately wrong prompt for each check of the contract kit."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, replace

import skinframe

COUNTER = itertools.count()


class Right(skinframe.Prompt):
    """Plain wording; passes every check."""

    name = "right"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        polite: bool = False

    def question(self, sample, fields):
        told = []
        for field in fields:
            value = sample.metadata.get(field.name)
            if field.problem(value):
                raise skinframe.DataError(f"sample {sample.id}: {field.name}: {field.problem(value)}")
            told.append(f"{field.name} {'not recorded' if value is None else value}.")
        please = " please" if self.config.polite else ""
        return skinframe.PromptText(system="You read images.", user=f"{' '.join(told)} What is it{please}?")

    def description(self, sample, classes, attributes):
        return f"an image of {classes[sample.label]}"

    def class_descriptions(self, classes):
        return [f"an image of {name}" for name in classes]

    def rationale(self, sample, classes, attributes):
        present = [name for name, there in zip(attributes, sample.attributes, strict=True) if there]
        return f"Seen: {', '.join(present) or 'nothing'}. So {classes[sample.label]}."

    def mentions(self, text, attributes):
        seen = text.removeprefix("Seen: ").partition(".")[0].split(", ")
        return tuple(True if name in seen else None for name in attributes)

    def digest(self):
        return hashlib.sha256(f"right 1 {self.config.polite}".encode()).hexdigest()


class Numbered(Right):
    """Says how often it was asked."""

    def description(self, sample, classes, attributes):
        return f"image {next(COUNTER)} of {classes[sample.label]}"


class FileName(Right):
    """Puts the name of the file into the question, and the file is named after the class."""

    def question(self, sample, fields):
        found = super().question(sample, fields)
        return replace(found, user=f"{found.user} ({sample.image})")


class TellsAll(Right):
    """Every metadata column, whether a field allows it or not."""

    def question(self, sample, fields):
        told = [f"{name} {value}." for name, value in sorted(sample.metadata.items())]
        please = " please" if self.config.polite else ""
        return skinframe.PromptText(system="You read images.", user=f"{' '.join(told)} What is it{please}?")


class OpenSlot(Right):
    def question(self, sample, fields):
        found = super().question(sample, fields)
        return replace(found, user=f"{found.user} {{site}}")


class OneWordForAll(Right):
    def class_words(self, classes):
        return ["lesion" for _ in classes]


class SubstringReader(Right):
    """Reads an attribute wherever its name stands, also in 'Not seen'."""

    def rationale(self, sample, classes, attributes):
        present = [name for name, there in zip(attributes, sample.attributes, strict=True) if there]
        absent = [name for name in attributes if name not in present]
        return f"Seen: {', '.join(present)}. Not seen: {', '.join(absent)}."

    def mentions(self, text, attributes):
        return tuple(True if name in text else None for name in attributes)


class OptionOutsideDigest(Right):
    def digest(self):
        return hashlib.sha256(b"right 1").hexdigest()


RIGHT = [Right(), Right(Right.Config(polite=True))]
WRONG = {
    "deterministic": Numbered(),
    "label_free": FileName(),
    "policy": TellsAll(),
    "complete": OpenSlot(),
    "class_texts": OneWordForAll(),
    "round_trip": SubstringReader(),
    "digested": OptionOutsideDigest(),
}
ALSO: dict[str, set[str]] = {"deterministic": {"digested"}}  # no digest names a text that changes by itself
