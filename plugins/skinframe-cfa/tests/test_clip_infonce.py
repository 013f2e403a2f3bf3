"""CLIP's InfoNCE: bounds, symmetries, limits, false negatives, and why it is not additive."""

from __future__ import annotations

import math

import pytest
import slow_maths
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.alignment import multi_positive_contrastive
from skinframe_cfa.alignment.clip_infonce import ClipInfoNCE, clip_infonce
from skinframe_cfa.alignment.multi_positive_contrastive import computed_again
from torch.nn import functional as F

from skinframe.testing import integers, unit_vectors

law = settings(deadline=None, derandomize=True, max_examples=50)
B, P, W = 4, 3, 5
REGIONS, VECTORS = unit_vectors((B, P, W)), unit_vectors((B, W))
IDS = integers((B,), 0, 3)
EYE = torch.eye(B, dtype=torch.bool)


@law
@given(images=VECTORS, texts=VECTORS, s=st.floats(1, 100))
def test_bounds_symmetry_and_rotation(images, texts, s):
    scale = torch.tensor(s)
    value = clip_infonce(images, texts, scale, EYE)
    slow = slow_maths.multi_positive(slow_maths.cosines(images.tolist(), texts.tolist(), s), EYE.tolist())
    assert value.item() == pytest.approx(slow, rel=1e-6, abs=1e-9)
    assert math.log1p((B - 1) * math.exp(-2 * s)) - 1e-9 <= value <= math.log1p((B - 1) * math.exp(2 * s)) + 1e-6
    assert torch.allclose(value, clip_infonce(texts, images, scale, EYE))
    turn, _ = torch.linalg.qr(torch.randn(W, W, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    assert torch.allclose(value, clip_infonce(images @ turn, texts @ turn, scale, EYE), rtol=1e-6)


def test_equal_embeddings_give_log_n_and_one_sample_gives_zero():
    same = F.normalize(torch.ones(B, W, dtype=torch.float64), dim=-1)
    assert clip_infonce(same, same, torch.tensor(50.0), EYE).item() == pytest.approx(math.log(B))
    assert clip_infonce(same[:1], same[:1], torch.tensor(50.0), EYE[:1, :1]) == 0


def test_two_half_batches_are_another_loss():
    """Halving the batch halves the negatives: log 2 instead of log 4 where nothing is told apart."""
    same = F.normalize(torch.ones(B, W, dtype=torch.float64), dim=-1)
    half = clip_infonce(same[:2], same[:2], torch.tensor(5.0), EYE[:2, :2])
    assert half.item() == pytest.approx(math.log(2))


@law
@given(images=VECTORS, texts=VECTORS, chunk=st.integers(0, B + 1), mask=st.booleans())
def test_chunks_change_nothing(images, texts, chunk, mask):
    ignored = torch.zeros(B, B, dtype=torch.bool)
    ignored[0, 1] = ignored[1, 0] = mask
    whole, parts = (clip_infonce(images, texts, torch.tensor(9.0), EYE, ignored, size) for size in (0, chunk))
    assert torch.allclose(whole, parts, rtol=1e-12)


@pytest.mark.parametrize(("chunk", "scored"), [(0, 0), (1, 2 * B), (2, B), (3, 4), (B, 0), (B + 1, 0)])
def test_it_scores_no_more_rows_at_a_time_than_it_is_asked(monkeypatch, chunk, scored):
    """In chunks each is scored apart, so that the backward pass can score it again: `scored` of them, both ways."""
    parts = []
    again = lambda function, *rest: parts.append(len(rest[0])) or computed_again(function, *rest)  # noqa: E731
    monkeypatch.setattr(multi_positive_contrastive, "computed_again", again)
    same = F.normalize(torch.ones(B, W), dim=-1)
    clip_infonce(same, same, torch.tensor(1.0), EYE, chunk=chunk)
    assert len(parts) == scored
    assert all(rows <= chunk for rows in parts)
    parts.clear()
    call(ClipInfoNCE(ClipInfoNCE.Config(chunk=chunk)), same[:, None], same, same, torch.arange(B))
    assert len(parts) == scored
    parts.clear()
    clip_infonce(same, same, torch.tensor(1.0), EYE)
    assert not parts


def call(loss, v, t, q, ids, labels=None, scale=20.0):
    labels = torch.zeros(len(ids), dtype=torch.long) if labels is None else labels
    signals = {"regions": v, "text_vectors": t, "queries": q, "logit_scale": torch.tensor(scale), "text_ids": ids}
    return loss.forward(**signals, labels=labels)


@law
@given(v=REGIONS, t=VECTORS, q=VECTORS, ids=IDS)
def test_the_class_pools_the_regions_or_takes_the_queries(v, t, q, ids):
    positives = (ids[None] == ids[:, None]).tolist()
    pooled = F.normalize(v.mean(1), dim=-1, eps=1e-6)
    for image, vectors in (("regions", pooled), ("queries", q)):
        value = call(ClipInfoNCE(ClipInfoNCE.Config(image=image)), v, t, q, ids)
        slow = slow_maths.multi_positive(slow_maths.cosines(vectors.tolist(), t.tolist(), 20.0), positives)
        assert value.item() == pytest.approx(slow, rel=1e-6, abs=1e-9)


@law
@given(v=REGIONS, t=VECTORS, ids=IDS, labels=integers((B,), -1, 1))
def test_false_negatives_leave_the_denominator(v, t, ids, labels):
    masking = ClipInfoNCE(ClipInfoNCE.Config(mask_false_negatives=True))
    value, plain = (call(loss, v, t, t, ids, labels) for loss in (masking, ClipInfoNCE()))
    n, k = ids.tolist(), labels.tolist()
    positives = [[n[i] == n[j] for j in range(B)] for i in range(B)]
    ignored = [[k[i] == k[j] >= 0 and n[i] != n[j] for j in range(B)] for i in range(B)]
    images = F.normalize(v.mean(1), dim=-1, eps=1e-6).tolist()
    slow = slow_maths.multi_positive(slow_maths.cosines(images, t.tolist(), 20.0), positives, ignored)
    assert value.item() == pytest.approx(slow, rel=1e-6, abs=1e-9)
    assert value <= plain + 1e-9
    unique = torch.arange(B)
    assert torch.allclose(call(masking, v, t, t, ids, unique), call(ClipInfoNCE(), v, t, t, ids, unique))


def test_one_class_of_many_descriptions_leaves_nothing_to_tell_apart():
    masking = ClipInfoNCE(ClipInfoNCE.Config(mask_false_negatives=True))
    random = torch.Generator().manual_seed(1)
    v = F.normalize(torch.randn(B, P, W, generator=random), dim=-1)
    t = F.normalize(torch.randn(B, W, generator=random), dim=-1)
    assert call(masking, v, t, t, torch.arange(B), torch.zeros(B, dtype=torch.long)) == 0


@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_a_sample_without_a_description_is_left_out_even_when_it_is_nan(chunk):
    random = torch.Generator().manual_seed(6)
    v = F.normalize(torch.randn(B, P, W, generator=random, dtype=torch.float64), dim=-1)
    t = F.normalize(torch.randn(B, W, generator=random, dtype=torch.float64), dim=-1)
    ids, labels = torch.tensor([0, 1, 1, -1]), torch.tensor([0, 1, 1, 2])
    v[3], t[3] = math.nan, math.nan
    v.requires_grad_()
    loss = ClipInfoNCE(ClipInfoNCE.Config(chunk=chunk))
    value = call(loss, v, t, t, ids, labels)
    assert torch.allclose(value, call(ClipInfoNCE(), v[:3], t[:3], t[:3], ids[:3], labels[:3]))
    (gradient,) = torch.autograd.grad(value, v)
    assert not gradient[3].any()
    assert gradient[:3].isfinite().all()
    assert gradient[:3].any()


def test_floor_and_notes_are_those_of_the_last_batch():
    loss = ClipInfoNCE()
    assert loss.floor() is None
    assert loss.notes() == {}
    v, t = F.normalize(torch.ones(B, P, W), dim=-1), F.normalize(torch.ones(B, W), dim=-1)
    call(loss, v, t, t, torch.tensor([0, 0, 0, -1]), scale=100.0)
    assert loss.floor() == pytest.approx(math.log(3))
    assert loss.notes() == {"scale": 100.0, "scale_clamped": 1.0}


def test_what_it_is_called_and_refuses():
    assert (ClipInfoNCE.name, ClipInfoNCE.coupling, ClipInfoNCE.normalise_by) == ("clip_infonce", "batch", "text_ids")
    assert ClipInfoNCE.Config() == ClipInfoNCE.Config(image="regions", mask_false_negatives=False, chunk=0)
    for options, message in (({"image": "mean"}, "^image must be"), ({"chunk": -1}, "^chunk must be")):
        with pytest.raises(ValueError, match=message):
            ClipInfoNCE.Config(**options)
