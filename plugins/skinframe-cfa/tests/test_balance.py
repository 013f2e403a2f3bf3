"""Learned factors: where they settle, what they never do, and what a resume needs."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_cfa.balance.gradnorm import GradNorm, gradnorm_step
from skinframe_cfa.balance.saved_term_values import load_numbers, numbers
from skinframe_cfa.balance.uncertainty import Uncertainty, uncertainty_step

from skinframe.testing import balancer_contract


@balancer_contract(
    Uncertainty(),
    Uncertainty(Uncertainty.Config(lr=1.0, limit=1.0)),
    GradNorm(),
    GradNorm(GradNorm.Config(alpha=0.0, lr=1.0)),
)
def test_contract(balancer, check):
    check(balancer)


LAWS = settings(deadline=None, derandomize=True, max_examples=50)
values = st.floats(1e-3, 1e3)
three = st.fixed_dictionaries(dict.fromkeys("abc", values))


def test_one_uncertainty_step_by_hand() -> None:
    """d/ds [exp(−s) L + s / 2] = 1/2 − exp(−s) L."""
    assert uncertainty_step(0.0, 2.0, lr=0.1, limit=9.0) == pytest.approx(0.15)
    assert uncertainty_step(math.log(4.0), 3.0, lr=1.0, limit=9.0) == pytest.approx(math.log(4.0) + 0.25)
    assert uncertainty_step(0.0, 100.0, lr=1.0, limit=2.5) == 2.5
    assert uncertainty_step(-2.0, 0.0, lr=10.0, limit=2.5) == -2.5


@LAWS
@given(st.floats(0.05, 5))
def test_an_uncertainty_factor_settles_at_half_the_inverse(value: float) -> None:
    balancer = Uncertainty(Uncertainty.Config(lr=0.05))
    for _ in range(4000):
        balancer.learn({"a": value}, {})
    assert balancer.factors(["a"])["a"] == pytest.approx(1 / (2 * value), rel=1e-3)


def test_uncertainty_starts_at_1_and_learns_each_term_alone() -> None:
    balancer = Uncertainty()
    assert balancer.factors(["a", "b"]) == {"a": 1.0, "b": 1.0}
    balancer.learn({"a": 1.0}, {})
    assert balancer.factors(["a", "b"]) == {"a": math.exp(-0.005), "b": 1.0}


def test_a_term_at_0_is_pushed_to_the_limit_and_no_further() -> None:
    balancer = Uncertainty(Uncertainty.Config(lr=1.0, limit=2.0))
    for _ in range(10):
        balancer.learn({"a": 0.0, "b": 1e6}, {})
    assert balancer.factors(["a", "b"]) == {"a": math.exp(2.0), "b": math.exp(-2.0)}


def test_uncertainty_refuses_a_term_below_0() -> None:
    balancer = Uncertainty()
    with pytest.raises(ValueError, match=r"'b' is -0\.5, below 0"):
        balancer.learn({"b": -0.5}, {})
    assert balancer.factors(["b"]) == {"b": 1.0}


def test_one_gradnorm_step_by_hand() -> None:
    """G = (2, 1), Ḡ = 1.5, r = (1.5, 0.5) at α = 1: targets 2.25 and 0.75: a rises, b falls, each by G / Ḡ."""
    found = gradnorm_step({"a": 1.0, "b": 1.0}, {"a": 2.0, "b": 1.0}, {"a": 0.9, "b": 0.3}, alpha=1.0, lr=0.1)
    a, b = math.exp(0.1 * 2 / 1.5), math.exp(-0.1 * 1 / 1.5)
    assert found == pytest.approx({"a": 2 * a / (a + b), "b": 2 * b / (a + b)})


def test_a_term_at_its_target_is_moved_by_the_others_alone() -> None:
    """G = (1, 2, 3) against Ḡ = 2: a rises, c falls, b is only scaled with them to keep the sum."""
    norms, even = {"a": 1.0, "b": 2.0, "c": 3.0}, dict.fromkeys("abc", 1.0)
    found = gradnorm_step(even, norms, even, alpha=0.0, lr=0.1)
    moved = {"a": math.exp(0.05), "b": 1.0, "c": math.exp(-0.15)}
    assert found == pytest.approx({name: 3 * each / sum(moved.values()) for name, each in moved.items()})


def test_a_balanced_gradnorm_stays() -> None:
    even = {"a": 0.5, "b": 1.5}
    assert gradnorm_step(even, {"a": 3.0, "b": 1.0}, {"a": 0.4, "b": 0.4}, alpha=1.5, lr=0.1) == even


@pytest.mark.parametrize(("norms", "ratios"), [((0.0, 0.0), (1.0, 1.0)), ((1.0, 2.0), (0.0, 0.0))])
def test_gradnorm_without_a_gradient_or_a_loss_stays(norms: tuple[float, float], ratios: tuple[float, float]) -> None:
    weights = {"a": 0.5, "b": 1.5}
    given = [dict(zip("ab", each, strict=True)) for each in (norms, ratios)]
    assert gradnorm_step(weights, *given, alpha=1.5, lr=0.1) == weights
    assert gradnorm_step({}, {}, {}, alpha=1.5, lr=0.1) == {}


@LAWS
@given(three, three, three, st.floats(0, 3), st.floats(0.001, 1))
def test_gradnorm_keeps_sum_and_sign_and_has_no_unit(
    weights: dict[str, float],
    norms: dict[str, float],
    ratios: dict[str, float],
    alpha: float,
    lr: float,
) -> None:
    found = gradnorm_step(weights, norms, ratios, alpha, lr)
    assert all(weight > 0 for weight in found.values())
    assert sum(found.values()) == pytest.approx(sum(weights.values()), rel=1e-9)
    scaled = gradnorm_step(
        weights, {n: 4.0 * v for n, v in norms.items()}, {n: 0.25 * v for n, v in ratios.items()}, alpha, lr
    )
    assert scaled == pytest.approx(found, rel=1e-9)  # powers of two, so that no comparison tips by rounding


def test_gradnorm_makes_the_norms_equal() -> None:
    balancer = GradNorm(GradNorm.Config(alpha=0.0, lr=0.02))
    norms = {"a": 10.0, "b": 0.1, "c": 1.0}
    for _ in range(2000):
        balancer.learn(dict.fromkeys("abc", 1.0), norms)
    factors = balancer.factors("abc")
    pulls = [factors[name] * norms[name] for name in "abc"]
    assert max(pulls) / min(pulls) < 1.15
    assert sum(factors.values()) == pytest.approx(3)


def test_gradnorm_helps_the_term_that_has_fallen_less() -> None:
    balancer = GradNorm()
    assert balancer.factors(["a", "b"]) == {"a": 1.0, "b": 1.0}
    balancer.learn({"a": 4.0, "b": 2.0}, {"a": 1.0, "b": 1.0})
    assert balancer.factors(["a", "b"]) == {"a": 1.0, "b": 1.0}
    for _ in range(5):
        balancer.learn({"a": 3.0, "b": 1.0}, {"a": 1.0, "b": 1.0})
    factors = balancer.factors(["a", "b"])
    assert factors["a"] > 1 > factors["b"]


def test_gradnorm_takes_a_late_term_and_leaves_out_one_at_0() -> None:
    balancer = GradNorm()
    balancer.learn({"a": 1.0, "late": 0.0}, {"a": 5.0, "late": 1.0})
    assert balancer.factors(["a", "late"]) == {"a": 1.0, "late": 1.0}
    balancer.learn({"a": 1.0, "late": 1.0}, {"a": 5.0, "late": 1.0})
    factors = balancer.factors(["a", "late"])
    assert factors["a"] < 1 < factors["late"]
    assert sum(factors.values()) == pytest.approx(2)


def test_gradnorm_refuses_a_term_below_0() -> None:
    with pytest.raises(ValueError, match=r"gradnorm compares each term with its first value; 'b' is -0.5, below 0"):
        GradNorm().learn({"a": 1.0, "b": -0.5}, {"a": 1.0, "b": 1.0})


@pytest.mark.parametrize("kind", [Uncertainty, GradNorm])
def test_a_resumed_balancer_goes_on_with_the_same_bits(kind: type[Uncertainty] | type[GradNorm]) -> None:
    first, second = kind(), kind()
    first.learn({"a": 0.3, "b": 7.0}, {"a": 0.1, "b": 3.0})
    second.load_state(first.state())
    for balancer in (first, second):
        balancer.learn({"a": 0.2, "b": 6.5}, {"a": 0.2, "b": 2.0})
    assert first.factors("ab") == second.factors("ab") != {"a": 1.0, "b": 1.0}
    assert first.state() == second.state()
    assert all(value.dtype == torch.float64 for value in first.state().values())


def test_numbers_keep_group_and_dots() -> None:
    state = numbers({"w": {"a.b": 0.1}, "w2": {"a": 2.0}})
    assert set(state) == {"w.a.b", "w2.a"}
    assert load_numbers(state, "w") == {"a.b": 0.1}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Uncertainty.Config(lr=0.0), r"lr must be a finite number > 0, got 0\.0"),
        (lambda: Uncertainty.Config(lr=math.inf), "lr must be a finite number > 0, got inf"),
        (lambda: Uncertainty.Config(limit=0.0), r"limit must be in \(0, 20\], got 0\.0"),
        (lambda: Uncertainty.Config(limit=20.5), r"limit must be in \(0, 20\], got 20\.5"),
        (lambda: GradNorm.Config(alpha=-0.1), r"alpha must be a finite number >= 0, got -0\.1"),
        (lambda: GradNorm.Config(alpha=math.inf), "alpha must be a finite number >= 0, got inf"),
        (lambda: GradNorm.Config(lr=0.0), r"lr must be in \(0, 1\], got 0\.0"),
        (lambda: GradNorm.Config(lr=1.5), r"lr must be in \(0, 1\], got 1\.5"),
    ],
)
def test_an_option_out_of_range_is_refused(make: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()  # type: ignore[operator]


def test_the_ends_of_the_ranges_are_taken() -> None:
    assert Uncertainty(Uncertainty.Config(limit=20.0)).config.limit == 20
    assert GradNorm(GradNorm.Config(alpha=0.0, lr=1.0)).config.lr == 1
