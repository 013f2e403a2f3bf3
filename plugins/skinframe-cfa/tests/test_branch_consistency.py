"""The consistency term: which divergence, which side learns, what the temperature does, who is masked."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.branch_consistency import DIVERGENCES, Consistency, divergence
from slow_maths import softmax

from skinframe.testing import tensors

law = settings(deadline=None, derandomize=True, max_examples=40)
LOGITS = tensors((3, 4), -10, 10)
LABELS = torch.zeros(3, dtype=torch.long)


def slow(text: list[float], image: list[float], kind: str, alpha: float, T: float) -> float:
    """One sample, in plain Python."""
    p, q = softmax([x / T for x in text]), softmax([x / T for x in image])

    def kl(a, b):
        return sum(x * math.log(x / y) for x, y in zip(a, b, strict=True) if x > 0)

    share = alpha if kind == "generalised_js" else 0.5
    m = [share * x + (1 - share) * y for x, y in zip(p, q, strict=True)]
    found = {"kl": kl(p, q), "reverse_kl": kl(q, p), "symmetric_kl": (kl(p, q) + kl(q, p)) / 2}
    return T * T * found.get(kind, share * kl(p, m) + (1 - share) * kl(q, m))


@law
@given(text=LOGITS, image=LOGITS, kind=st.sampled_from(DIVERGENCES), alpha=st.floats(0.05, 0.95), T=st.floats(0.5, 5))
def test_the_value_is_the_obvious_loop(text, image, kind, alpha, T):
    pairs = zip(text.tolist(), image.tolist(), strict=True)
    expected = [slow(a, b, kind, alpha, T) for a, b in pairs]
    found = divergence(text, image, kind, alpha=alpha, temperature=T)
    assert found.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-10)
    config = Consistency.Config(divergence=kind, alpha=alpha, temperature=T)
    value = Consistency(config).forward(text, image, LABELS)
    assert value.item() == pytest.approx(sum(expected) / 3, rel=1e-9, abs=1e-10)


def test_without_options_it_is_jensen_shannon():
    one, other = torch.tensor([[1.0, -0.5]], dtype=torch.float64), torch.tensor([[0.2, 0.3]], dtype=torch.float64)
    expected = slow([1.0, -0.5], [0.2, 0.3], "js", 0.5, 1.0)
    assert divergence(one, other, "js").item() == pytest.approx(expected)
    assert divergence(one, other, "generalised_js").item() == pytest.approx(expected)
    assert Consistency().forward(one, other, LABELS[:1]).item() == pytest.approx(expected)


@pytest.mark.parametrize("kind", DIVERGENCES)
@pytest.mark.parametrize(("side", "text_learns", "image_learns"), [("none", 1, 1), ("image", 1, 0), ("text", 0, 1)])
def test_stop_gradient(kind, side, text_learns, image_learns):
    text = torch.tensor([[1.0, 0.0]], requires_grad=True)
    image = torch.tensor([[0.0, 1.0]], requires_grad=True)
    config = Consistency.Config(divergence=kind, stop_gradient=side)
    value = Consistency(config).forward(text, image, torch.tensor([0]))
    value.backward()
    assert value > 0
    for tensor, learns in ((text, text_learns), (image, image_learns)):
        assert (tensor.grad is not None and tensor.grad.norm().item() > 0) == bool(learns)


def test_the_temperature_keeps_the_gradients_size():
    """For small scores KL is quadratic in z / T, so that T² takes T out of it."""
    text, image = torch.tensor([[1e-3, 0.0]]).double(), torch.tensor([[0.0, 2e-3]]).double()
    cold, warm = (divergence(text, image, "kl", temperature=T) for T in (1.0, 8.0))
    assert warm.item() == pytest.approx(cold.item(), rel=1e-2)


def test_masked_samples_do_not_count_even_where_they_are_nan():
    text = torch.tensor([[1.0, 0.0], [math.nan, 0.0]], requires_grad=True)
    image = torch.tensor([[0.0, 1.0], [0.0, math.inf]], requires_grad=True)
    value = Consistency().forward(text, image, torch.tensor([1, -100]))
    assert torch.equal(value, Consistency().forward(text[:1], image[:1], torch.tensor([0])))
    for slope in torch.autograd.grad(value, [text, image]):
        assert slope[0].any()
        assert not slope[1].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_opposite_certainty_stays_finite(dtype):
    text = torch.tensor([[1e4, -1e4]], dtype=dtype, requires_grad=True)
    for kind in DIVERGENCES:
        value = Consistency(Consistency.Config(divergence=kind)).forward(text, -text.detach(), torch.tensor([0]))
        assert value.dtype == torch.float32
        assert value.isfinite()
        assert torch.autograd.grad(value, text)[0].isfinite().all()
        if "js" in kind:
            assert value.item() == pytest.approx(math.log(2), abs=1e-6)


WRONG = [
    ({"divergence": "hellinger"}, "^divergence must be one of js, generalised_js, kl, reverse_kl, symmetric_kl, got"),
    ({"stop_gradient": "both"}, "^stop_gradient must be none, image or text, got 'both'"),
    ({"alpha": 0.0}, r"^alpha must be in \(0, 1\), got 0.0"),
    ({"alpha": 1.0}, "^alpha must be"),
    ({"temperature": 0.0}, "^temperature must be a finite number > 0, got 0.0"),
    ({"temperature": math.inf}, "^temperature must be"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Consistency.Config(**options)


def test_what_it_is_called():
    assert (Consistency.name, Consistency.coupling) == ("consistency", "per_sample")
    assert Consistency.Config() == Consistency.Config(divergence="js", stop_gradient="none", alpha=0.5, temperature=1.0)
