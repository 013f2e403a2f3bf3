"""The engine's own columns of a batch: labels, counts, attributes, ids, metadata, lesion masks, rationale tokens."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinframe.components import Column, ColumnContext
from skinframe.errors import DataError
from skinframe.sample import Field, Sample
from skinframe.signals import STANDARD
from skinframe.weighted_statistics import Floats

Get = Callable[[Sequence[int], Sequence[int], int], Any]  # rows, views, epoch -> tensor


class Labels(Column):
    """The true class of each sample [B]."""

    signal = STANDARD["labels"]
    counts_terms = True

    def bind(self, context: ColumnContext) -> Get:
        return _rows_of(_integers([sample.label for sample in context.samples]))


class ClassCounts(Column):
    """The training samples of each class [C], the same at every step."""

    signal = STANDARD["class_counts"]
    scope = "step"
    available = "training"

    def bind(self, context: ColumnContext) -> Get:
        import torch

        train = _integers([context.samples[row].label for row in context.split.train])
        counts = torch.bincount(train, minlength=len(context.classes))
        return lambda rows, views, epoch: counts


class Attributes(Column):
    """The checklist attributes of each sample [B A]: 1 present, 0 absent, NaN unknown."""

    signal = STANDARD["attributes"]
    available = "training"
    counts_terms = True

    def bind(self, context: ColumnContext) -> Get:
        import torch

        table = np.full((len(context.samples), len(context.attributes)), np.nan, dtype=np.float32)
        for row, sample in enumerate(context.samples):
            for place, value in enumerate(sample.attributes):
                if value is not None:
                    table[row, place] = float(value)
        return _rows_of(torch.from_numpy(table))


class TextIds(Column):
    """One id per description [B], equal where two samples carry the same one."""

    signal = STANDARD["text_ids"]
    available = "training"
    counts_terms = True

    def bind(self, context: ColumnContext) -> Get:
        return _rows_of(value_ids([_description(context, sample) for sample in context.samples]))


class SampleIds(Column):
    """The row of each sample in the manifest [B], in every epoch the same."""

    signal = STANDARD["sample_ids"]

    def bind(self, context: ColumnContext) -> Get:
        return lambda rows, views, epoch: _integers(list(rows))


class SiteIds(Column):
    """One id per body site [B]; negative where it is not recorded."""

    signal = STANDARD["site_ids"]
    available = "training"

    def bind(self, context: ColumnContext) -> Get:
        return _rows_of(value_ids([sample.metadata.get("site") for sample in context.samples]))


class Metadata(Column):
    """The typed metadata of each sample as numbers [B M]: what the prompt says in words, so a model may read it."""

    signal = STANDARD["metadata"]
    readable_by = "model"

    def bind(self, context: ColumnContext) -> Get:
        import torch

        matrix = metadata_matrix(context.samples, context.fields)[0].astype(np.float32)
        return _rows_of(torch.from_numpy(matrix))


class LesionCover(Column):
    """The share of each image patch that the lesion fills [B P], as the encoder crops and turns the image; NaN unknown.

    The patches are those of the image tokens that a head reads.
    """

    signal = STANDARD["lesion_cover"]
    available = "training"
    counts_terms = True

    def bind(self, context: ColumnContext) -> Get:
        """Raises DataError where the patches are no square grid or no training image has a mask that shows a lesion."""
        import torch

        patches, seen_mask = context.inputs["image_tokens"], context.inputs["seen_mask"]
        if patches is None:
            what = "no head reads image_tokens, so there are no patches; add the head 'projection'"
            raise DataError(f"batch.lesion_cover: {what}")
        encoder, count = patches
        side = math.isqrt(count)
        if side * side != count:
            what = f"the {count} patches of encoder '{encoder}' are no square grid; use another encoder"
            raise DataError(f"batch.lesion_cover: {what}")
        cover = torch.full((len(context.samples), context.views, count), math.nan)
        for row in context.split.train:
            for view in range(context.views):
                mask = seen_mask(row, view, encoder, "lesion")
                if mask is None:
                    break
                if mask.any():
                    cover[row, view] = torch.from_numpy(patch_cover(mask, side, side)).float().flatten()
        if bool(cover.isnan().all()):
            what = "no training image has a lesion mask; leave the term out, or use data with masks"
            raise DataError(f"batch.lesion_cover: {what}")
        return lambda rows, views, epoch: cover[_integers(list(rows)), _integers(list(views))]


class RationaleTargets(Column):
    """The tokens of the target rationales [T], in the order in which the batch lays them out."""

    signal = STANDARD["rationale_targets"]
    scope = "token"
    available = "training"
    counts_terms = True

    def bind(self, context: ColumnContext) -> Get:
        """A column of tokens is read off the layout of the token rows, which the feed makes for each batch."""
        return lambda rows, views, epoch: context.inputs["layout"]["rationale_targets"]


COLUMNS: tuple[type[Column], ...] = (
    Labels,
    ClassCounts,
    Attributes,
    TextIds,
    SampleIds,
    SiteIds,
    Metadata,
    LesionCover,
    RationaleTargets,
)


def metadata_matrix(samples: Sequence[Sample], fields: Sequence[Field]) -> tuple[Floats, tuple[str, ...]]:
    """Return typed metadata as columns [N, M] and their names.

    An enumeration gives one column per value, a number one column scaled to [0, 1] by its range; each field also gets a
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


def value_ids(values: Sequence[object]) -> Any:
    """Return one id per sample [N], equal where the values are equal, negative where there is none."""
    known: dict[object, int] = {}
    return _integers([-1 if value is None else known.setdefault(value, len(known)) for value in values])


def patch_cover(mask: NDArray[np.bool_], rows: int, columns: int) -> Floats:
    """Return the part of each patch that the mask covers [rows, columns], exact where edges cut through pixels."""
    return _overlap(rows, mask.shape[0]) @ mask.astype(np.float64) @ _overlap(columns, mask.shape[1]).T


def _description(context: ColumnContext, sample: Sample) -> str:
    return context.prompt.description(sample, context.classes, context.attributes)


def _integers(values: Sequence[int]) -> Any:
    import torch

    return torch.tensor(list(values), dtype=torch.int64)


def _overlap(cells: int, pixels: int) -> Floats:
    """Return [cells, pixels] with the share of each cell that each pixel takes up."""
    cell, pixel = np.arange(cells)[:, None] / cells, np.arange(pixels)[None, :] / pixels
    shared = np.minimum(cell + 1 / cells, pixel + 1 / pixels) - np.maximum(cell, pixel)
    overlap: Floats = np.clip(shared, 0.0, None) * cells
    return overlap


def _rows_of(table: Any) -> Get:
    """Return a getter of the rows of a table [N, ...]."""
    return lambda rows, views, epoch: table[_integers(list(rows))]
