"""Another data set under the classes of a trained run, by the vocabularies that both sets name their labels in."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from numpy import bool_
from numpy.typing import NDArray

from skinframe.components import Dataset, Requirement
from skinframe.sample import Field, Sample

OWN = "own"  # a set's own words, which mean nothing in another set


class RelabelledDataset(Dataset):
    """A data set whose samples have the classes of a run; those without such a class are left out, counted.

    `vocabulary` is the one that the labels go through, and `translated` maps its words to the run's classes.
    """

    name = "relabelled"

    def __init__(self, base: Dataset, classes: Sequence[str], vocabulary: str, translated: Mapping[str, str]) -> None:
        super().__init__(base.config)
        self.base, self.vocabulary, self.translated = base, vocabulary, dict(translated)
        self._classes = tuple(classes)
        self.name, self.level = base.name, base.level  # type: ignore[misc]
        self.synthetic = base.synthetic  # type: ignore[misc]
        self.modality = base.modality

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    @property
    def attributes(self) -> tuple[str, ...]:
        return self.base.attributes

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.base.fields

    @cached_property
    def _samples(self) -> tuple[list[Sample], Counter[str]]:
        kept, left_out = [], Counter(self.base.left_out())
        for sample in self.base.samples():
            name = self.translated.get(sample.labels.get(self.vocabulary, ""))
            if name is None:
                left_out[sample.labels.get(OWN, self.base.classes[sample.label])] += 1
            else:
                kept.append(dataclasses.replace(sample, label=self._classes.index(name)))
        return kept, left_out

    def samples(self) -> Sequence[Sample]:
        return self._samples[0]

    def left_out(self) -> Mapping[str, int]:
        return self._samples[1]

    def image_bytes(self, sample: Sample) -> bytes:
        return self.base.image_bytes(sample)

    def masks(self, sample: Sample) -> Mapping[str, NDArray[bool_]]:
        return self.base.masks(sample)

    def label_map(self) -> Mapping[str, Mapping[str, str]]:
        return self.base.label_map()

    def context(self, sample: Sample) -> Mapping[str, str]:
        return self.base.context(sample)

    def missing(self) -> list[Requirement]:
        return self.base.missing()

    def digest(self) -> str:
        return self.base.digest()

    def note(self) -> str:
        """Say how the labels were mapped, and how many rows have no class of the run."""
        pairs = ", ".join(f"{word} to {name}" for word, name in self.translated.items())
        gone = sum(self.left_out().values())
        left = f"; {gone:,} images of {', '.join(sorted(self.left_out()))} are left out" if gone else ""
        return f"labels were mapped to the run's classes through {self.vocabulary}: {pairs}{left}"


def relabelled(base: Dataset, home: Dataset, classes: Sequence[str]) -> RelabelledDataset | None:
    """Return `base` under the classes of a run that was trained on `home`; None where no vocabulary names two of them.

    A word that stands for several classes of the run (malignant, say) names none of them.
    """
    own: Mapping[str, Mapping[str, str]] = home.label_map()
    known = {name for words in base.label_map().values() for name in words}
    best: tuple[str, dict[str, str]] = "", {}
    for vocabulary in sorted(known - {OWN}):
        words = {word for labels in base.label_map().values() if (word := labels.get(vocabulary)) is not None}
        direct = {word: word for word in classes if word in words}
        named: dict[str, list[str]] = {}
        for name in classes:
            named.setdefault(own.get(name, {}).get(vocabulary, ""), []).append(name)
        through = {word: names[0] for word, names in named.items() if word in words and len(names) == 1}
        candidate = max(direct, through, key=len)
        best = max(best, (vocabulary, candidate), key=lambda pair: len(pair[1]))
    return RelabelledDataset(base, classes, *best) if len(best[1]) >= 2 else None


def no_common_labels(base: Dataset, classes: Sequence[str], options: Any) -> str:
    """Say why a set cannot be mapped, naming only options that it has."""
    names = {field.name for field in dataclasses.fields(options)}
    option = next((name for name in ("classes", "label_set") if name in names), None)
    what = f"the run's classes are {', '.join(classes)}; this set's are {', '.join(base.classes)}, and no vocabulary"
    return f"{what} names two of them in both" + (f"; set data.config.{option}" if option else "")
