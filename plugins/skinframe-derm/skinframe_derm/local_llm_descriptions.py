"""Descriptions in the words of a local language model, in the place of the paper's GPT-4o step; off by default."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import skinframe
from skinframe.sample import Field, Sample
from skinframe_derm import paraphrase_file
from skinframe_derm.clinical_template import ClinicalTemplate


class LocalLlm(skinframe.Prompt):
    """`clinical_template` with descriptions from a file of paraphrases that a local model wrote.

    A run loads no language model: it reads `cache`, which `python -m skinframe_derm.write_paraphrases` fills once and
    which belongs under version control. A paraphrase that lost a slot's words or added a diagnosis is replaced by the
    template's own words. Questions, class descriptions and rationales are the template's.
    """

    name = "local_llm"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        cache: str = ""  # the file of paraphrases
        version: Literal["v1"] = "v1"
        paraphrases: int = 1  # as clinical_template's: how many wordings of the question are in use
        metadata: bool = True
        image: Literal["dermoscopic image", "clinical photograph"] = "dermoscopic image"

    config: Config

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        chosen = {name: getattr(self.config, name) for name in ("version", "paraphrases", "metadata", "image")}
        self.template = ClinicalTemplate(ClinicalTemplate.Config(**chosen))

    def missing(self) -> list[skinframe.Requirement]:
        if self.config.cache and Path(self.config.cache).is_file():
            return []
        what = f"local_llm: {self.config.cache or 'no file of paraphrases given'}"
        command = "python -m skinframe_derm.write_paraphrases --model FOLDER --cache FILE RECIPE"
        step = f"{command}; name FILE in prompt.config.cache"
        return [skinframe.Requirement(what=what, next_step=step, kind="data")]

    @cached_property
    def _read(self) -> tuple[paraphrase_file.Made, dict[str, str]]:
        needs = self.missing()
        if needs:
            raise skinframe.DataError(f"{needs[0].what}; {needs[0].next_step}")
        return paraphrase_file.read(Path(self.config.cache))

    def description(self, sample: Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        """Return the paraphrase of the template's description, or that itself where none holds. Raises DataError."""
        text = self.template.description(sample, classes, attributes)
        paraphrase = self._read[1].get(text)
        if paraphrase is None:
            raise skinframe.DataError(f"{self.config.cache}: has no paraphrase of {text!r}; fill it for this data set")
        slots = self.template.slots(sample, classes, attributes)
        return text if paraphrase_file.rejected(text, paraphrase, slots, self.template.forbidden) else paraphrase

    def question(self, sample: Sample, fields: Sequence[Field]) -> skinframe.PromptText:
        return self.template.question(sample, fields)

    def class_descriptions(self, classes: Sequence[str]) -> list[str]:
        return self.template.class_descriptions(classes)

    def class_words(self, classes: Sequence[str]) -> list[str]:
        return self.template.class_words(classes)

    def rationale(self, sample: Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        return self.template.rationale(sample, classes, attributes)

    def mentions(self, text: str, attributes: Sequence[str]) -> tuple[bool | None, ...]:
        return self.template.mentions(text, attributes)

    def digest(self) -> str:
        """Return a digest of template, options and every paraphrase; the file's place does not enter."""
        made, entries = self._read
        return hashlib.sha256(repr((self.template.digest(), made, sorted(entries.items()))).encode()).hexdigest()
