"""Who is a positive of whom, who is left out, and what a contrastive term says of its last batch."""

from __future__ import annotations

import logging
import math

import pytest
import torch
from hypothesis import given, settings
from skinframe_cfa.alignment.positive_pairs import (
    LARGEST_SCALE,
    LastBatch,
    check_chunk,
    check_image,
    check_positives,
    described,
    described_pairs,
    positive_pairs,
    same,
    whole_image,
)

from skinframe.testing import integers, unit_vectors

law = settings(deadline=None, derandomize=True, max_examples=50)
IDS = integers((6,), -1, 3)


@law
@given(text=IDS, labels=IDS, sites=IDS)
def test_positives_are_the_obvious_loop(text, labels, sites):
    t, k, s = text.tolist(), labels.tolist(), sites.tolist()

    def alike(ids, i, j):
        return ids[i] == ids[j] >= 0

    for i in range(6):
        for j in range(6):
            by_text, by_class = alike(t, i, j), alike(k, i, j)
            assert same(text)[i, j] == by_text
            assert positive_pairs(text, "text", labels, sites)[i, j] == by_text
            assert positive_pairs(text, "class", labels, sites)[i, j] == (by_text or by_class)
            both = by_class and alike(s, i, j)
            assert positive_pairs(text, "class_and_site", labels, sites)[i, j] == (by_text or both)


def test_by_hand():
    ids, labels = torch.tensor([4, 4, 5, 6, -1]), torch.tensor([0, 1, 1, -100, 1])
    assert positive_pairs(ids, "text").int().tolist() == [
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0],
    ]
    assert described_pairs(ids, "class", labels).int().tolist() == [
        [1, 1, 0, 0],
        [1, 1, 1, 0],
        [0, 1, 1, 0],
        [0, 0, 0, 1],
    ]
    sites = torch.tensor([0, 2, 3, 0, 2])
    assert torch.equal(described_pairs(ids, "class_and_site", labels, sites), described_pairs(ids, "text"))
    assert described_pairs(torch.tensor([-1, -1]), "text").shape == (0, 0)


def test_ids_that_are_missing_are_named():
    ids = torch.tensor([0, 1])
    with pytest.raises(ValueError, match=r"^positives: 'class' needs the signal labels"):
        positive_pairs(ids, "class")
    with pytest.raises(ValueError, match=r"^positives: 'class_and_site' needs the signal labels"):
        positive_pairs(ids, "class_and_site", None, ids)
    with pytest.raises(ValueError, match=r"^positives: 'class_and_site' needs the signal site_ids"):
        positive_pairs(ids, "class_and_site", ids)
    assert torch.equal(positive_pairs(ids, "class", ids), torch.eye(2, dtype=torch.bool))


def test_samples_without_a_description_are_left_out_even_where_they_are_nan():
    values = torch.tensor([[1.0], [math.nan], [3.0]], requires_grad=True)
    kept, labels = described(torch.tensor([0, -1, 7]), values, torch.tensor([5, 6, 7]))
    assert kept.tolist() == [[1.0], [3.0]]
    assert labels.tolist() == [5, 7]
    assert labels.dtype == torch.int64
    assert torch.autograd.grad(kept.sum(), values)[0].tolist() == [[1.0], [0.0], [1.0]]


def test_precision_is_float32_at_least():
    kept = described(torch.tensor([0]), torch.ones(1, dtype=torch.bfloat16), torch.ones(1, dtype=torch.float64))
    assert [each.dtype for each in kept] == [torch.float32, torch.float64]


@law
@given(regions=unit_vectors((2, 3, 4)), queries=unit_vectors((2, 4)))
def test_the_whole_image_is_its_mean_region_or_its_query(regions, queries):
    assert whole_image(regions, queries, "queries") is queries
    for found, rows in zip(whole_image(regions, queries, "regions").tolist(), regions.tolist(), strict=True):
        mean = [sum(column) / 3 for column in zip(*rows, strict=True)]
        size = math.sqrt(sum(x * x for x in mean))
        if size > 1e-6:
            assert found == pytest.approx([x / size for x in mean])


def test_regions_that_cancel_stay_finite():
    regions = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]], requires_grad=True)
    mean = whole_image(regions, regions[:, 0], "regions")
    assert mean.tolist() == [[0.0, 0.0]]
    assert torch.autograd.grad(mean.sum(), regions)[0].isfinite().all()


def test_options_are_checked():
    for kind in ("text", "class", "class_and_site"):
        check_positives(kind)
    with pytest.raises(ValueError, match=r"^positives must be one of text, class, class_and_site, got 'identity'"):
        check_positives("identity")
    check_image("regions")
    check_image("queries")
    with pytest.raises(ValueError, match=r"^image must be regions or queries, got 'mean'"):
        check_image("mean")
    check_chunk(0)
    with pytest.raises(ValueError, match=r"^chunk must be >= 0 rows \(0: all at once\), got -1"):
        check_chunk(-1)


def test_the_last_batch_says_floor_scale_and_clamp_hits():
    last = LastBatch()
    assert last.floor() is None
    assert last.notes() == {}
    last.see(same(torch.tensor([0, 0, 1])), torch.tensor(14.0, requires_grad=True))
    assert last.floor() == pytest.approx(2 * math.log(2) / 3)
    assert last.notes() == {"scale": 14.0, "scale_clamped": 0.0}
    last.see(same(torch.tensor([0, 1])), torch.tensor(LARGEST_SCALE))
    assert last.floor() == 0
    assert last.notes() == {"scale": 100.0, "scale_clamped": 1.0}
    last.see(same(torch.tensor([0, 1])), torch.tensor(99.99))
    assert last.notes()["scale_clamped"] == 0


def test_a_batch_without_negatives_is_warned_of_once(caplog):
    last = LastBatch()
    with caplog.at_level(logging.WARNING, logger="skinframe"):
        for ids in ([], [0, 1]):
            last.see(same(torch.tensor(ids, dtype=torch.long)), torch.tensor(1.0))
            last.notes()
        assert not caplog.records
        for _ in range(2):
            last.see(same(torch.tensor([3, 3])), torch.tensor(1.0))
            last.notes()
    assert len(caplog.records) == 1
    assert "saw 2 samples and no negative pair" in caplog.text
