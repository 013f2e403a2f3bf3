"""The decorators: one test a (component, check), known failures strict and with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from skinframe.components import Component, Encoder, Loss
from skinframe.signals import needs
from skinframe.testing import encoder_laws, loss_laws
from skinframe.testing.case import SCORES, cases, normaliser, sample_dim
from skinframe.testing.draw import Maker


@dataclass(frozen=True)
class Check:
    """One law as a test: call it with a component, and Hypothesis looks for a counter-example."""

    name: str
    law: Callable[[Any, Any], None]
    draw: Callable[[Any], st.SearchStrategy[Any]]
    examples: int
    shrink: bool = True  # off where only the verdict matters, not a readable counter-example

    def __call__(self, component: Component) -> None:
        options = settings(
            max_examples=self.examples,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink] if self.shrink else [Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )

        def holds(drawn: Any) -> None:
            self.law(component, drawn)

        options(given(drawn=self.draw(component))(holds))()


@dataclass(frozen=True)
class _Law:
    law: Callable[[Any, Any], None]
    applies: Callable[[Loss], bool] = field(default=lambda loss: True)
    least: int = 0
    share: float = 1.0  # of the examples asked for; a slow law takes fewer


def _reads(loss: Loss, names: Iterable[str]) -> bool:
    return any(need.signal.name in names for need in needs(type(loss).forward))


def _has_classes(loss: Loss) -> bool:
    return any("C" in need.signal.dims.split() for need in needs(type(loss).forward))


def _maskable(loss: Loss) -> bool:
    counted = normaliser(loss)
    return counted.kind == "int" and _reads(loss, [counted.name])


LOSS_LAWS: tuple[_Law, ...] = (
    _Law(loss_laws.scalar),
    _Law(loss_laws.deterministic),
    _Law(loss_laws.pure),
    _Law(loss_laws.finite),
    _Law(loss_laws.sample_order, least=1),
    _Law(loss_laws.class_order, applies=_has_classes),
    _Law(loss_laws.shift, applies=lambda loss: _reads(loss, SCORES)),
    _Law(loss_laws.masked, applies=_maskable, least=1),
    _Law(loss_laws.all_masked, applies=_maskable),
    _Law(loss_laws.additive, applies=lambda loss: loss.coupling == "per_sample", least=2),
    _Law(loss_laws.gradient, least=1, share=0.25),
    _Law(loss_laws.descent, least=1),
    _Law(loss_laws.resume, least=2),
)


def loss_checks(loss: Loss, signals: Mapping[str, Maker] | None = None, examples: int = 15) -> list[Check]:
    """Return the checks that apply to a loss; `signals` draws those that the kit does not know by name.

    Raises AssertionError where `normalise_by` is not something that the loss's terms can be counted by.
    """
    sample_dim(loss)
    own = signals or {}
    return [
        Check(
            each.law.__name__,
            each.law,
            lambda component, least=each.least: cases(component, own, least),  # type: ignore[misc]
            max(1, round(examples * each.share)),
        )
        for each in LOSS_LAWS
        if each.applies(loss)
    ]


def loss_contract(
    *losses: Loss,
    xfail: Mapping[str, str] | None = None,
    signals: Mapping[str, Maker] | None = None,
    examples: int = 15,
) -> pytest.MarkDecorator:
    """Parametrise a test over `loss` and `check`. `xfail` maps a check's name to the reason why it must fail."""
    return _contract("loss", [(loss, loss_checks(loss, signals, examples)) for loss in losses], xfail or {})


def encoder_checks(encoder: Encoder, examples: int = 3) -> list[Check]:
    """Return the checks of an encoder."""
    return [Check(law.__name__, law, lambda _: encoder_laws.photographs(), examples) for law in encoder_laws.LAWS]


def encoder_contract(
    *encoders: Encoder, xfail: Mapping[str, str] | None = None, examples: int = 3
) -> pytest.MarkDecorator:
    """Parametrise a test over `encoder` and `check`. `xfail` maps a check's name to the reason why it must fail."""
    return _contract("encoder", [(each, encoder_checks(each, examples)) for each in encoders], xfail or {})


def _contract(
    kind: str, suites: Sequence[tuple[Component, list[Check]]], xfail: Mapping[str, str]
) -> pytest.MarkDecorator:
    known = {check.name for _, checks in suites for check in checks}
    if unknown := set(xfail) - known:
        raise ValueError(f"xfail names {', '.join(sorted(unknown))}, but the checks are {', '.join(sorted(known))}")
    rows = [
        pytest.param(
            component,
            check,
            id=f"{_title(component)}-{check.name}",
            marks=[pytest.mark.xfail(reason=xfail[check.name], strict=True)] if check.name in xfail else [],
        )
        for component, checks in suites
        for check in checks
    ]
    return pytest.mark.parametrize((kind, "check"), rows)


def _title(component: Component) -> str:
    """Name a component with the options that differ from their defaults."""
    config = component.config
    if not is_dataclass(config):
        return component.name
    changed = [f"{each.name}={getattr(config, each.name)}" for each in fields(config) if _differs(config, each)]
    return f"{component.name}({','.join(changed)})" if changed else component.name


def _differs(config: Any, each: Any) -> bool:
    return bool(getattr(config, each.name) != each.default)
