"""The laws of a batch column. Each takes a column and drawn rows, and asserts."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from skinframe.components import Column, ColumnContext, Dataset, Prompt, PromptText
from skinframe.sample import Field, Sample
from skinframe.signals import output_of
from skinframe.testing.law_and_check import Law, Suite

CLASSES = ("mel", "nv", "bcc")
ATTRIBUTES = ("streaks", "blue_whitish_veil")
FIELDS = (Field(name="age", low=0, high=120), Field(name="sex", values=("female", "male")))
VIEWS = 2


class Lesions(Dataset):
    """Nine plain images of three classes, with masks, two of each patient."""

    name = "kit_lesions"
    classes = CLASSES
    attributes = ATTRIBUTES
    fields = FIELDS

    def samples(self) -> list[Sample]:
        return [self._sample(number) for number in range(9)]

    def image_bytes(self, sample: Sample) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8), (20 * int(sample.id), 90, 60)).save(buffer, "PNG")
        return buffer.getvalue()

    def masks(self, sample: Sample) -> Mapping[str, Any]:
        return {"lesion": np.arange(64).reshape(8, 8) % 9 < int(sample.id) + 1}

    def digest(self) -> str:
        return "0" * 32

    def _sample(self, number: int) -> Sample:
        metadata = {"age": 10.0 * number, "sex": (None, "female", "male")[number % 3]}
        attributes = (number % 2 == 0, None if number == 4 else number % 3 == 0)
        own = {"patient": f"p{number // 2}", "metadata": metadata, "attributes": attributes}
        return Sample(id=str(number), image=f"{number}.png", label=number % 3, **own)  # type: ignore[arg-type]


class Words(Prompt):
    """The shortest texts that tell samples apart."""

    name = "kit_words"

    def question(self, sample: Sample, fields: Sequence[Field]) -> PromptText:
        return PromptText(system="Diagnose.", user=", ".join(f"{f.name} {sample.metadata.get(f.name)}" for f in fields))

    def description(self, sample: Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        return classes[sample.label]

    def class_descriptions(self, classes: Sequence[str]) -> list[str]:
        return list(classes)

    def rationale(self, sample: Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        return f"{classes[sample.label]} {sample.attributes}"

    def mentions(self, text: str, attributes: Sequence[str]) -> tuple[bool | None, ...]:
        return (None,) * len(attributes)

    def digest(self) -> str:
        return "0" * 32


@dataclass(frozen=True)
class Rows:
    """Rows of the samples in train, valid and test."""

    train: tuple[int, ...] = (0, 1, 2, 3, 4)
    valid: tuple[int, ...] = (5, 6)
    test: tuple[int, ...] = (7, 8)


@dataclass(frozen=True, repr=False)
class Drawn:
    """What a column is bound to, and the rows, views and epoch that it is asked for."""

    context: ColumnContext
    rows: tuple[int, ...]
    views: tuple[int, ...]
    epoch: int

    def __repr__(self) -> str:
        return f"rows {list(self.rows)}, views {list(self.views)}, epoch {self.epoch}, seed {self.context.seed}"


def declared(column: Column, drawn: Drawn) -> None:
    """The tensor has the dims and the element kind of the signal, one entry per row where these begin with B."""
    value = _value(column, drawn)
    layout, dims = output_of(column.signal), column.signal.dims.split()
    assert value.ndim == len(dims), f"has {value.ndim} dims, and the signal has [{column.signal.dims}]"
    assert value.device.type == "cpu", f"is on {value.device}, not on the CPU"
    assert value.is_floating_point() == (layout.dtype == "float"), f"is {value.dtype}, and the signal is {layout.dtype}"
    sizes = {"B": len(drawn.rows), "C": len(CLASSES), "A": len(ATTRIBUTES)}
    for letter, size in zip(dims, value.shape, strict=True):
        assert sizes.get(letter, size) == size, f"dim {letter} is {size}, not {sizes[letter]}"


def deterministic(column: Column, drawn: Drawn) -> None:
    """Two columns of the same options and seed give the same bits, whatever the random state."""
    first = _value(column, drawn)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(drawn.context.seed + 1)
        two = _value(type(column)(column.config), drawn)
    assert torch.equal(first.nan_to_num(-7), two.nan_to_num(-7)), f"first {first.tolist()}, then {two.tolist()}"


def alone(column: Column, drawn: Drawn) -> None:
    """What it gives of a row does not depend on the other rows of the batch."""
    get = column.bind(drawn.context)
    whole = get(drawn.rows, drawn.views, drawn.epoch)
    for place, (row, view) in enumerate(zip(drawn.rows, drawn.views, strict=True)):
        single = get((row,), (view,), drawn.epoch)[0]
        same = torch.equal(single.nan_to_num(-7), whole[place].nan_to_num(-7))
        assert same, f"row {row} is {single.tolist()} alone and {whole[place].tolist()} in company"


def label_free(column: Column, drawn: Drawn) -> None:
    """What the model may read is the same whatever the labels and attributes are."""
    turned = [
        replace(each, label=(each.label + 1) % len(CLASSES), attributes=tuple(not part for part in each.attributes))
        for each in drawn.context.samples
    ]
    own = _value(column, drawn)
    other = _value(column, replace(drawn, context=replace(drawn.context, samples=turned)))
    assert torch.equal(own.nan_to_num(-7), other.nan_to_num(-7)), "other labels give another value"


def quiet(column: Column, drawn: Drawn) -> None:
    """It leaves the random state as it was: dropout and order are drawn from it."""
    before = torch.random.get_rng_state()
    _value(column, drawn)
    after = torch.random.get_rng_state()
    torch.random.set_rng_state(before)
    assert torch.equal(before, after), "the random state of torch was moved"


def _by_sample(column: Column) -> bool:
    return column.scope == "sample" and output_of(column.signal).batch_axis == "B"


def _read_by_model(column: Column) -> bool:
    return column.readable_by == "model"


LAWS = (
    Law(declared),
    Law(deterministic),
    Law(alone, applies=_by_sample),
    Law(label_free, applies=_read_by_model),
    Law(quiet),
)


def column_suite(inputs: Mapping[str, Any] | None = None, examples: int = 8) -> Suite:
    """Return the suite of a column; `inputs` is what the feed passes beside the samples."""
    return Suite("column", LAWS, lambda column, law: _drawn(inputs or {}), examples)


def _drawn(inputs: Mapping[str, Any]) -> st.SearchStrategy[Drawn]:
    dataset = Lesions()
    samples = dataset.samples()
    rows = st.lists(st.integers(0, len(samples) - 1), min_size=1, max_size=5, unique=True)

    @st.composite
    def build(draw: st.DrawFn) -> Drawn:
        chosen = tuple(draw(rows))
        context = ColumnContext(
            samples=samples,
            split=Rows(),
            classes=CLASSES,
            attributes=ATTRIBUTES,
            fields=FIELDS,
            prompt=Words(),
            dataset=dataset,
            views=VIEWS,
            seed=draw(st.integers(0, 2**16)),
            inputs=inputs,
        )
        views = tuple(draw(st.integers(0, VIEWS - 1)) for _ in chosen)
        return Drawn(context, chosen, views, draw(st.integers(0, 3)))

    return build()


def _value(column: Column, drawn: Drawn) -> Tensor:
    return column.bind(drawn.context)(drawn.rows, drawn.views, drawn.epoch)
