"""The clinical template: a question from typed metadata, and the texts that training reads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import skinframe
from skinframe.sample import Field, Sample, Value
from skinframe.seeding import derive
from skinframe_derm.class_names import class_name, diagnosis_words
from skinframe_derm.templates import read_template

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 /+.,()&'-]{0,39}")  # an enumeration's value, not a way to write free text
DERMOSCOPIC: Literal["dermoscopic image"] = "dermoscopic image"
IMAGES: dict[
    str, Literal["dermoscopic image", "clinical photograph"]
] = {  # what texts call an image, by how it was taken
    "dermoscopy": DERMOSCOPIC,
    "clinical photograph": "clinical photograph",
    "total body photography": "clinical photograph",
}
OLDEST = 85  # public sets cap the age here, so an exact number above it identifies people


def age_band(age: float) -> str:
    """Return the five-year band of an age: 62 -> '60-64 years'."""
    if age >= OLDEST:
        return f"{OLDEST} years or older"
    low = int(age // 5) * 5
    return f"{low}-{low + 4} years"


def join(findings: Sequence[str]) -> str:
    """Return 'a', 'a and b' or 'a, b and c'."""
    return " and ".join([", ".join(findings[:-1]), findings[-1]] if len(findings) > 1 else findings)


class ClinicalTemplate(skinframe.Prompt):
    """Deterministic clinical wording in place of the paper's GPT-4o step; same bytes on every platform.

    A question holds metadata only: a value outside its field's schema, a column without a field, or a word that names
    a diagnosis raises DataError. Descriptions and rationales hold the label, so only training may read them.
    """

    name = "clinical_template"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        version: Literal["v1"] = "v1"
        paraphrases: int = 1  # how many wordings of the question are in use; the sample's id chooses
        metadata: bool = True  # False asks from the image alone
        image: Literal["", "dermoscopic image", "clinical photograph"] = ""  # what texts call it; "": as the set says

        def __post_init__(self) -> None:
            most = len(read_template(self.version).data["questions"])
            if not 1 <= self.paraphrases <= most:
                raise ValueError(f"paraphrases must be in [1, {most}], got {self.paraphrases}")

    config: Config

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self._template = read_template(self.config.version)
        data = self._template.data
        self._text = {
            **data,
            **{key: data[key].replace(DERMOSCOPIC, self._image) for key in ("system", "image_of")},
        }

    @property
    def _image(self) -> str:
        return self.config.image or DERMOSCOPIC

    def for_modality(self, modality: str) -> skinframe.Prompt:
        image = IMAGES.get(modality)
        return self if self.config.image or image is None else type(self)(replace(self.config, image=image))

    def question(self, sample: Sample, fields: Sequence[Field]) -> skinframe.PromptText:
        """Return e.g. 'Age 60-64 years. Sex female. Site back. What is the diagnosis?', in the order of `fields`.

        Raises DataError for a value that its field does not allow and for metadata without a field.
        """
        unknown = sorted(set(sample.metadata) - {field.name for field in fields})
        if unknown:
            raise skinframe.DataError(f"sample {sample.id}: {', '.join(unknown)} may not enter a prompt; no such field")
        parts = [self._slot(sample, field) for field in fields] if self.config.metadata else []
        questions = self._text["questions"]
        parts.append(questions[derive(0, "paraphrase", sample.id) % self.config.paraphrases])
        user = " ".join(parts)
        forbidden_word = self._template.forbidden.search(user)
        if forbidden_word:
            raise skinframe.DataError(
                f"sample {sample.id}: '{forbidden_word[0]}' in its metadata would tell the diagnosis"
            )
        return skinframe.PromptText(system=self._text["system"], user=user)

    def _slot(self, sample: Sample, field: Field) -> str:
        value = sample.metadata.get(field.name)
        problem = field.problem(value)
        if problem:
            raise skinframe.DataError(f"sample {sample.id}: {field.name}: {problem}")
        pattern = self._text["slots"].get(field.name, self._text["other_slot"])
        return str(pattern).format(name=field.name.replace("_", " "), value=self._value(sample, field, value))

    def _value(self, sample: Sample, field: Field, value: Value) -> str:
        if value is None:
            return str(self._text["not_recorded"])
        if isinstance(value, str):
            if not PLAIN.fullmatch(value):
                raise skinframe.DataError(f"sample {sample.id}: {field.name}: {value!r} is not a plain short word")
            return value
        return age_band(value) if field.name == "age" else f"{value:g} {field.unit}".strip()

    def description(self, sample: Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        """Return e.g. 'a dermoscopic image of melanoma with atypical network and blue-whitish veil'.

        Where no attribute of the sample is known it is the class's own description. Raises DataError for a label
        outside `classes` or a wrong number of attributes.
        """
        label = self._label(sample, classes)
        findings = self._findings(sample, attributes)
        if findings is None:
            return self.class_descriptions([label])[0]
        found = join(findings) if findings else self._text["no_finding"]
        image_of = self._text["image_of"].format(name=class_name(label))
        return str(image_of + self._text["with"].format(findings=found))

    def slots(self, sample: Sample, classes: Sequence[str], attributes: Sequence[str]) -> tuple[str, ...]:
        """Return the words that a paraphrase of `description` must keep: the class's name and each finding."""
        label = self._label(sample, classes)
        findings = self._findings(sample, attributes)
        return (class_name(label), *(self._template.typical(label) if findings is None else findings))

    @property
    def forbidden(self) -> re.Pattern[str]:
        """Return the pattern of the words that name a diagnosis or how it was found."""
        return self._template.forbidden

    def class_descriptions(self, classes: Sequence[str]) -> list[str]:
        """Return e.g. 'a dermoscopic image of vascular lesion with red or purple lacunae', one a class."""
        texts = []
        for name in classes:
            typical = self._template.typical(name)
            text = self._text["image_of"].format(name=class_name(name))
            texts.append(text + (self._text["with"].format(findings=join(typical)) if typical else ""))
        return texts

    def class_words(self, classes: Sequence[str]) -> list[str]:
        """Return each class's name in words, e.g. 'basal cell carcinoma'."""
        return [class_name(name) for name in classes]

    def diagnosis_words(self, classes: Sequence[str]) -> Mapping[str, str]:
        """Return every diagnosis that the plugin has a name for, those of `classes` by their labels."""
        return diagnosis_words(classes)

    def rationale(self, sample: Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        """Return e.g. 'Findings: atypical network, blue-whitish veil. Assessment: melanoma.'

        Where no attribute of the sample is known (HAM10000) this is class knowledge, what the class usually shows and
        not what was seen in this image; it then begins with 'Typical findings', which `mentions` does not count.
        Raises DataError as `description` does.
        """
        label = self._label(sample, classes)
        findings = self._findings(sample, attributes)
        assessment = self._text["assessment"].format(name=class_name(label))
        if findings is None:
            typical = self._template.typical(label)
            parts = [self._text["typical"].format(findings=", ".join(typical))] if typical else []
        else:
            parts = [self._text["findings"].format(findings=", ".join(findings) or self._text["no_finding"])]
        return " ".join([*parts, assessment])

    def telling_words(self) -> tuple[str, ...]:
        return tuple(self._text["forbidden_in_questions"])

    def mentions(self, text: str, attributes: Sequence[str]) -> tuple[bool | None, ...]:
        """Read a rationale back: True for each attribute in its 'Findings' list, None for one that is not in it.

        'no checklist feature' makes all of them False. 'Typical findings' and anything else say nothing of the image.
        """
        match = re.match(r"\s*findings:([^.:]*)\.", text, re.IGNORECASE)
        if not match:
            return (None,) * len(attributes)
        items = {" ".join(item.split()).lower() for item in match[1].split(",")}
        if items == {self._text["no_finding"]}:
            return (False,) * len(attributes)
        return tuple(True if self._template.attribute_name(name).lower() in items else None for name in attributes)

    def digest(self) -> str:
        """Return the SHA-256 of the template's bytes and the options."""
        parts: tuple[object, ...] = (
            self._template.digest,
            self.config.version,
            self.config.paraphrases,
            self.config.metadata,
        )
        parts += () if self._image == DERMOSCOPIC else (self._image,)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def _label(self, sample: Sample, classes: Sequence[str]) -> str:
        if not 0 <= sample.label < len(classes):
            raise skinframe.DataError(f"sample {sample.id}: label {sample.label} is not one of {len(classes)} classes")
        return classes[sample.label]

    def _findings(self, sample: Sample, attributes: Sequence[str]) -> list[str] | None:
        """Return the names of the attributes that are present; None where none of them is known."""
        if all(present is None for present in sample.attributes):
            return None
        if len(sample.attributes) != len(attributes):
            expected, got = len(attributes), len(sample.attributes)
            raise skinframe.DataError(f"sample {sample.id}: {got} attributes where the set has {expected}")
        pairs = zip(attributes, sample.attributes, strict=True)
        return [self._template.attribute_name(name) for name, present in pairs if present]
