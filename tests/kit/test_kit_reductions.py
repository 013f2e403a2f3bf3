"""The laws of a reduction catch a function that is wrong in each of the usual ways."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from skinframe.testing import reduction_contract


def right(logits, labels, weights, reduction):
    """Weighted cross entropy with the four reductions."""
    valid = labels >= 0
    each = F.cross_entropy(logits, labels.clamp(min=0), reduction="none")
    each, kept = torch.where(valid, each * weights, 0.0), torch.where(valid, weights, 0.0)
    if reduction == "none":
        return each
    by = {"sum": 1, "mean": valid.sum().clamp(min=1), "weighted_mean": kept.sum()}[reduction]
    return each.sum() / by


def divides_by_all(logits, labels, weights, reduction):
    """A mean over all samples, masked ones too."""
    found = right(logits, labels, weights, reduction)
    return found * (labels >= 0).sum() / len(labels) if reduction == "mean" else found


def normalises_weights(logits, labels, weights, reduction):
    """Weights brought to a mean of 1, so that their scale is lost."""
    return right(logits, labels, weights / weights[labels >= 0].mean(), reduction)


def sorts(logits, labels, weights, reduction):
    """Sample costs in the order of their size."""
    found = right(logits, labels, weights, reduction)
    return found.sort().values if reduction == "none" else found


WRONG = {"reductions": divides_by_all, "scaling": normalises_weights, "order": sorts}


@reduction_contract(right=right)
def test_right_function_passes(function, check):
    check(function)


@pytest.mark.parametrize("name", WRONG)
def test_check_catches_its_wrong_function(name):
    rows = {row.values[1].name: row.values for row in reduction_contract(wrong=WRONG[name]).args[1]}
    assert set(rows) == set(WRONG)
    function, check = rows[name]
    with pytest.raises(AssertionError):
        check(function)
