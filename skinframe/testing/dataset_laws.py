"""The laws of a data set. Each takes a set and a number that selects the samples, and asserts."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from skinframe.components import Dataset
from skinframe.data.manifest import listing, sample_problems
from skinframe.sample import Sample
from skinframe.testing.law_and_check import Law, Suite
from skinframe.testing.option_variants import is_digest, tells_apart

LOOKED_AT = 3  # samples whose pixels a law opens


def described(dataset: Dataset, pick: int) -> None:
    """The docstring begins with a line that says what the set is; the report quotes it."""
    assert dataset.summary(), "the class has no docstring"


def ordered(dataset: Dataset, pick: int) -> None:
    """Two instances give the same samples in the same order, and there are some."""
    first, two = list(dataset.samples()), list(type(dataset)(dataset.config).samples())
    assert first, "there is no sample"
    assert first == two, "two instances differ in their samples or their order"


def accepted(dataset: Dataset, pick: int) -> None:
    """Ids are unique, labels are among distinct classes, metadata within its fields: what a run checks first."""
    classes = dataset.classes
    assert len(set(classes)) == len(classes), f"a class stands twice: {', '.join(classes)}"
    problems = list(sample_problems(dataset.samples(), dataset.fields, classes, dataset.attributes))
    assert not problems, listing("samples", problems)


def grouped(dataset: Dataset, pick: int) -> None:
    """Samples are grouped by what `level` names, a patient or a lesion; by the image itself where that is not known."""
    assert dataset.level in ("patient", "lesion", "image"), f"level is '{dataset.level}'"
    kinds = {sample.id: sample.group.partition(":")[0] for sample in dataset.samples()}
    assert dataset.level in kinds.values(), f"the set says {dataset.level}, and no sample is grouped by one"
    for name, kind in kinds.items():
        assert kind in (dataset.level, "image"), f"sample {name} is grouped by {kind}, and the set says {dataset.level}"


def unsplit(dataset: Dataset, pick: int) -> None:
    """No group has samples in two official splits."""
    where: dict[str, set[str | None]] = defaultdict(set)
    for sample in dataset.samples():
        where[sample.group].add(sample.split)
    for group, splits in where.items():
        assert len(splits) == 1, f"{group} has samples in {', '.join(sorted(map(str, splits)))}"


def decodes(dataset: Dataset, pick: int) -> None:
    """Image bytes are the same twice, and decode to a picture."""
    for sample in _some(dataset, pick):
        first, two = dataset.image_bytes(sample), dataset.image_bytes(sample)
        assert first == two, f"sample {sample.id}: two readings differ"
        try:
            with Image.open(io.BytesIO(first)) as image:
                assert image.format in ("PNG", "JPEG"), f"sample {sample.id}: {image.format}, not PNG or JPEG"
                image.convert("RGB")
        except OSError as error:
            raise AssertionError(f"sample {sample.id}: {error}") from error


def masks(dataset: Dataset, pick: int) -> None:
    """Masks are boolean and have the image's height and width."""
    for sample in _some(dataset, pick):
        with Image.open(io.BytesIO(dataset.image_bytes(sample))) as image:
            size = (image.height, image.width)
        for name, mask in dataset.masks(sample).items():
            assert mask.dtype == np.bool_, f"sample {sample.id}: mask '{name}' is {mask.dtype}, not bool"
            assert mask.shape == size, f"sample {sample.id}: mask '{name}' is {mask.shape}, the image {size}"


def posterior(dataset: Dataset, pick: int) -> None:
    """Where the true class probabilities are known, they are a distribution over the classes."""
    for sample in _some(dataset, pick):
        probabilities = dataset.posterior(sample)
        if probabilities is None:
            continue
        assert probabilities.shape == (len(dataset.classes),), f"sample {sample.id}: shape {probabilities.shape}"
        assert (probabilities >= 0).all(), f"sample {sample.id}: {probabilities.min()} is negative"
        assert abs(float(probabilities.sum()) - 1) < 1e-9, f"sample {sample.id}: sums to {probabilities.sum()}"


def digested(dataset: Dataset, pick: int) -> None:
    """`digest` is a hex string, the same for the same options, another where an option changes the samples."""
    is_digest(dataset.digest())
    assert dataset.digest() == type(dataset)(dataset.config).digest(), "two instances differ in it"
    tells_apart(dataset, lambda each: each.digest(), lambda each: [_seen(each), list(each.samples())])


LAWS = (described, ordered, accepted, grouped, unsplit, decodes, masks, posterior, digested)
DATASET = Suite("dataset", tuple(map(Law, LAWS)), lambda dataset, law: st.integers(0, 2**16), examples=2)


def _some(dataset: Dataset, pick: int) -> Sequence[Sample]:
    samples = dataset.samples()
    return [samples[(pick + 101 * step) % len(samples)] for step in range(min(LOOKED_AT, len(samples)))]


def _seen(dataset: Dataset) -> bytes:
    samples = dataset.samples()
    return dataset.image_bytes(samples[0]) if len(samples) else b""
