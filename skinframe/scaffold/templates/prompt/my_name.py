import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import skinframe


class MyName(skinframe.Prompt):
    """Plain wording: metadata into the question, findings and class into the rationale."""

    name = "my_name"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        metadata: bool = True  # False asks from the image alone

    def question(self, sample: skinframe.Sample, fields: Sequence[skinframe.Field]) -> skinframe.PromptText:
        told = [self._told(sample, field) for field in fields] if self.config.metadata else []
        user = " ".join([*told, "What is the diagnosis?"])
        return skinframe.PromptText(system="You are a dermatologist reading an image.", user=user)

    def _told(self, sample: skinframe.Sample, field: skinframe.Field) -> str:
        value = sample.metadata.get(field.name)
        problem = field.problem(value)
        if problem:
            raise skinframe.DataError(f"sample {sample.id}: {field.name}: {problem}")
        return f"{field.name} {'not recorded' if value is None else value}."

    def description(self, sample: skinframe.Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        return self.class_descriptions(classes)[sample.label]

    def class_descriptions(self, classes: Sequence[str]) -> list[str]:
        return [f"a dermoscopic image of {name}" for name in classes]

    def rationale(self, sample: skinframe.Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        present = [name for name, there in zip(attributes, sample.attributes, strict=False) if there]
        return f"Findings: {', '.join(present) or 'none'}. Assessment: {classes[sample.label]}."

    def mentions(self, text: str, attributes: Sequence[str]) -> tuple[bool | None, ...]:
        findings, _, _ = text.removeprefix("Findings: ").partition(". Assessment")
        return tuple(True if name in findings.split(", ") else None for name in attributes)

    def digest(self) -> str:
        # raise the number whenever a word changes
        return hashlib.sha256(f"my_name 1, metadata {self.config.metadata}".encode()).hexdigest()


@skinframe.hookimpl
def register_prompts() -> list[type[skinframe.Prompt]]:
    return [MyName]
