"""UniCL: the positive set is an option, the floor is reached by perfect clusters, and CLIP is a case of it."""

from __future__ import annotations

import math

import pytest
import slow_maths
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.alignment import multi_positive_contrastive
from skinframe_cfa.alignment.clip_infonce import ClipInfoNCE
from skinframe_cfa.alignment.multi_positive_contrastive import computed_again
from skinframe_cfa.alignment.unicl import UniCL
from torch.nn import functional as F

from skinframe.testing import integers, unit_vectors

law = settings(deadline=None, derandomize=True, max_examples=50)
B, P, W = 5, 2, 4
REGIONS, VECTORS, IDS = unit_vectors((B, P, W)), unit_vectors((B, W)), integers((B,), 0, 2)
SCALE = torch.tensor(12.0, dtype=torch.float64)


def alike(ids, i, j):
    return ids[i] == ids[j] >= 0


@law
@given(
    v=REGIONS,
    t=VECTORS,
    q=VECTORS,
    text=IDS,
    labels=integers((B,), -1, 2),
    sites=integers((B,), -1, 2),
    kind=st.sampled_from(["text", "class", "class_and_site"]),
    image=st.sampled_from(["regions", "queries"]),
    chunk=st.integers(0, 3),
)
def test_the_value_is_the_obvious_loop(v, t, q, text, labels, sites, kind, image, chunk):
    n, k, s = text.tolist(), labels.tolist(), sites.tolist()
    more = {
        "text": lambda i, j: False,
        "class": lambda i, j: alike(k, i, j),
        "class_and_site": lambda i, j: alike(k, i, j) and alike(s, i, j),
    }[kind]
    positives = [[alike(n, i, j) or more(i, j) for j in range(B)] for i in range(B)]
    images = q if image == "queries" else F.normalize(v.mean(1), dim=-1, eps=1e-6)
    slow = slow_maths.multi_positive(slow_maths.cosines(images.tolist(), t.tolist(), 12.0), positives)
    loss = UniCL(UniCL.Config(positives=kind, image=image, chunk=chunk))
    value = loss.forward(v, q, t, SCALE, text, labels, sites)
    assert value.item() == pytest.approx(slow, rel=1e-9, abs=1e-9)
    assert value >= loss.floor() - 1e-9


@law
@given(v=REGIONS, t=VECTORS, q=VECTORS)
def test_unique_labels_are_clip_exactly(v, t, q):
    unique = torch.arange(B)
    ours = UniCL().forward(v, q, t, SCALE, unique, unique)
    assert torch.equal(ours, ClipInfoNCE().forward(v, q, t, SCALE, unique, unique))


@pytest.mark.parametrize(("chunk", "scored"), [(0, 0), (2, 6), (B, 0)])
def test_it_scores_no_more_rows_at_a_time_than_it_is_asked(monkeypatch, chunk, scored):
    parts = []
    again = lambda function, *rest: parts.append(len(rest[0])) or computed_again(function, *rest)  # noqa: E731
    monkeypatch.setattr(multi_positive_contrastive, "computed_again", again)
    t, unique = F.normalize(torch.ones(B, W), dim=-1), torch.arange(B)
    UniCL(UniCL.Config(chunk=chunk)).forward(t[:, None], t, t, SCALE.float(), unique, unique)
    assert len(parts) == scored


def test_perfect_clusters_reach_the_floor():
    labels = torch.tensor([0, 0, 0, 1, 1, 2])
    corners = torch.eye(3, dtype=torch.float64)[labels]
    loss = UniCL()
    value = loss.forward(corners[:, None], corners, corners, torch.tensor(100.0), torch.arange(6), labels)
    assert value.item() == pytest.approx((3 * math.log(3) + 2 * math.log(2)) / 6)
    assert loss.floor() == pytest.approx(value.item())
    assert loss.notes() == {"scale": 100.0, "scale_clamped": 1.0}


def test_samples_without_a_description_are_left_out():
    random = torch.Generator().manual_seed(3)
    v = F.normalize(torch.randn(B, P, W, generator=random, dtype=torch.float64), dim=-1)
    t = F.normalize(torch.randn(B, W, generator=random, dtype=torch.float64), dim=-1)
    ids, labels, sites = torch.tensor([0, -1, 1, 2, -1]), torch.tensor([0, 0, 0, 1, 1]), torch.arange(B) % 2
    v[1], t[4] = math.nan, math.nan
    keep = torch.tensor([0, 2, 3])
    loss = UniCL(UniCL.Config(positives="class_and_site"))
    value = loss.forward(v, t, t, SCALE, ids, labels, sites)
    assert torch.allclose(value, loss.forward(v[keep], t[keep], t[keep], SCALE, ids[keep], labels[keep], sites[keep]))


def test_sites_that_are_missing_are_named():
    v, t, ids = torch.ones(1, 1, 2), torch.ones(1, 2), torch.tensor([0])
    with pytest.raises(ValueError, match="needs the signal site_ids"):
        UniCL(UniCL.Config(positives="class_and_site")).forward(v, t, t, SCALE, ids, ids)


def test_what_it_is_called_and_refuses():
    assert (UniCL.name, UniCL.coupling, UniCL.normalise_by) == ("unicl", "batch", "text_ids")
    assert UniCL.Config() == UniCL.Config(positives="class", image="regions", chunk=0)
    assert UniCL().floor() is None
    wrong = [
        ({"positives": "site"}, "^positives must be"),
        ({"image": "mean"}, "^image must"),
        ({"chunk": -2}, "^chunk"),
    ]
    for options, message in wrong:
        with pytest.raises(ValueError, match=message):
            UniCL.Config(**options)
