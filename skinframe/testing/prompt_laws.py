"""The laws of a prompt. Each takes a prompt and a drawn sample, and asserts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from skinframe.components import Prompt, PromptText
from skinframe.errors import DataError
from skinframe.sample import Field, Sample, Value
from skinframe.testing.law_and_check import Law, Suite
from skinframe.testing.option_variants import is_digest, tells_apart

CLASSES = ("mel", "nv", "bcc")
ATTRIBUTES = ("pigment_network", "streaks", "blue_whitish_veil")
COLUMNS = (
    Field(name="age", low=0, high=120, unit="years"),
    Field(name="sex", values=("female", "male")),
    Field(name="site", values=("back", "head/neck", "lower extremity")),
)
CANARY = "quokka"  # a word that no template has


@dataclass(frozen=True, repr=False)
class PromptInput:
    """A sample, the metadata columns that may be read, and the names of classes and attributes."""

    sample: Sample
    fields: Sequence[Field]
    classes: Sequence[str]
    attributes: Sequence[str]

    def __repr__(self) -> str:
        sample = self.sample
        return f"metadata {dict(sample.metadata)}, label {sample.label}, attributes {sample.attributes}"

    def with_metadata(self, **metadata: Value) -> PromptInput:
        return replace(self, sample=replace(self.sample, metadata={**self.sample.metadata, **metadata}))


def deterministic(prompt: Prompt, given: PromptInput) -> None:
    """Two prompts of the same options write the same bytes."""
    first, two = _texts(prompt, given), _texts(type(prompt)(prompt.config), given)
    assert first == two, f"first {first!r}, then {two!r}"


def label_free(prompt: Prompt, given: PromptInput) -> None:
    """The question is the same whatever the label, the attributes, the file's name and the patient."""
    others = [
        replace(given.sample, label=(given.sample.label + 1) % len(given.classes)),
        replace(given.sample, attributes=tuple(not each for each in given.sample.attributes)),
        replace(given.sample, image=f"{given.classes[0]}.png", patient="p2", lesion="l2", split="test"),
    ]
    own = prompt.question(given.sample, given.fields)
    for other in others:
        question = prompt.question(other, given.fields)
        assert question == own, f"what it must not know changed the question from {own} to {question}"


def policy(prompt: Prompt, given: PromptInput) -> None:
    """A column without a field, and a value outside its field, are refused with a DataError or do not enter."""
    foreign = [given.with_metadata(histology=CANARY), given.with_metadata(**{given.fields[0].name: CANARY})]
    for each in foreign:
        question = _question(prompt, each)
        assert CANARY not in f"{question}", f"the question holds text that no field allows: {question}"


def complete(prompt: Prompt, given: PromptInput) -> None:
    """A question is whole: neither part is blank, and no slot of a template is left open."""
    question = prompt.question(given.sample, given.fields)
    assert isinstance(question, PromptText), f"question returned {type(question).__name__}, not a PromptText"
    for part in (question.system, question.user):
        assert part.strip(), f"a blank part: {question}"
        assert not {"{", "}"} & set(part), f"a slot was left open: {part}"


def class_texts(prompt: Prompt, given: PromptInput) -> None:
    """Descriptions and words of the classes are one per class, none blank and no two alike."""
    both: Mapping[str, list[str]] = {
        "class_descriptions": prompt.class_descriptions(given.classes),
        "class_words": prompt.class_words(given.classes),
    }
    for name, texts in both.items():
        assert len(texts) == len(given.classes), f"{name} gives {len(texts)} texts for {len(given.classes)} classes"
        assert all(text.strip() for text in texts), f"{name} gives a blank text: {texts}"
        assert len(set(texts)) == len(texts), f"{name} gives the same text twice: {texts}"


def round_trip(prompt: Prompt, given: PromptInput) -> None:
    """`mentions` reads back from `rationale` every attribute that is present, and none that is not."""
    text = prompt.rationale(given.sample, given.classes, given.attributes)
    mentioned = prompt.mentions(text, given.attributes)
    assert len(mentioned) == len(given.attributes), f"{len(mentioned)} answers for {len(given.attributes)} attributes"
    for name, present, read in zip(given.attributes, given.sample.attributes, mentioned, strict=True):
        assert (read is True) == (present is True), f"{name} is {present}, and is read back as {read} from: {text}"


def digested(prompt: Prompt, given: PromptInput) -> None:
    """`digest` is a hex string, the same for the same options, another where an option changes a text."""
    is_digest(prompt.digest())
    assert prompt.digest() == type(prompt)(prompt.config).digest(), "two prompts of the same options differ in it"
    tells_apart(prompt, lambda each: each.digest(), lambda each: _texts(each, given))


LAWS = (deterministic, label_free, policy, complete, class_texts, round_trip, digested)


def prompt_suite(
    classes: Sequence[str] = CLASSES,
    attributes: Sequence[str] = ATTRIBUTES,
    columns: Sequence[Field] = COLUMNS,
    examples: int = 15,
) -> Suite:
    """Return the suite of a prompt that words these classes, attributes and metadata columns."""
    drawn = _inputs(tuple(classes), tuple(attributes), tuple(columns))
    return Suite("prompt", tuple(map(Law, LAWS)), lambda prompt, law: drawn, examples)


def _inputs(
    classes: Sequence[str], attributes: Sequence[str], fields: Sequence[Field]
) -> st.SearchStrategy[PromptInput]:
    def value(field: Field) -> st.SearchStrategy[Value]:
        known = st.sampled_from(field.values) if field.values else st.integers(int(field.low), int(field.high))
        return st.none() | known.map(lambda each: each if isinstance(each, str) else float(each))

    findings = st.tuples(*[st.booleans() for _ in attributes]) | st.just((None,) * len(attributes))
    sample = st.builds(
        Sample,
        id=st.integers(0, 99).map(lambda number: f"image {number}"),
        image=st.just("image.png"),
        label=st.integers(0, len(classes) - 1),
        patient=st.just("p1"),
        metadata=st.fixed_dictionaries({field.name: value(field) for field in fields}),
        attributes=findings,
    )
    return sample.map(lambda each: PromptInput(each, fields, classes, attributes))


def _texts(prompt: Prompt, given: PromptInput) -> list[str]:
    question = prompt.question(given.sample, given.fields)
    supervision = (given.sample, given.classes, given.attributes)
    texts = [question.system, question.user, prompt.description(*supervision), prompt.rationale(*supervision)]
    return [*texts, *prompt.class_descriptions(given.classes), *prompt.class_words(given.classes)]


def _question(prompt: Prompt, given: PromptInput) -> PromptText | None:
    try:
        return prompt.question(given.sample, given.fields)
    except DataError:
        return None
