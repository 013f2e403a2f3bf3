"""Typed metadata as numbers: what a probe and a head read, beside the words that a prompt makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skinframe.sample import Field, Sample
from skinframe.weighted import Floats


def metadata_matrix(samples: Sequence[Sample], fields: Sequence[Field]) -> tuple[Floats, tuple[str, ...]]:
    """Return typed metadata as columns [N, M] and their names.

    An enumeration gives one column a value, a number one column scaled to [0, 1] by its range; each field also gets a
    column that says 'not recorded', in which case its other columns are 0. A value that the field does not know, as
    another set's may be, counts as not recorded.
    """
    names = tuple(name for field in fields for name in field.columns)
    columns: list[list[float]] = []
    for field in fields:
        said = [sample.metadata.get(field.name) for sample in samples]
        values = [None if field.problem(value) else value for value in said]
        columns.append([float(value is None) for value in values])
        if field.values:
            columns += [[float(value == known) for value in values] for known in field.values]
            continue
        width = (field.high - field.low) or 1.0
        columns.append([0.0 if value is None else (float(value) - field.low) / width for value in values])
    return np.array(columns, dtype=np.float64).reshape(len(names), len(samples)).T, names
