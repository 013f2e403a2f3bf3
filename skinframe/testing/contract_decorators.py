"""The contract decorators: one test per (component, check); known failures are strict and have a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from skinframe.components import (
    Balancer,
    Calibrator,
    Column,
    Component,
    Dataset,
    Encoder,
    Explainer,
    Head,
    Loss,
    Metric,
    Prompt,
    Reasoner,
    ReportSection,
    Tracker,
    Verb,
)
from skinframe.components.base import Shape
from skinframe.sample import Field
from skinframe.testing.balancer_laws import BALANCER
from skinframe.testing.calibrator_laws import CALIBRATOR
from skinframe.testing.column_laws import column_suite
from skinframe.testing.dataset_laws import DATASET
from skinframe.testing.encoder_laws import ENCODER
from skinframe.testing.explainer_laws import EXPLAINER
from skinframe.testing.head_laws import head_suite
from skinframe.testing.law_and_check import Suite
from skinframe.testing.loss_suite import loss_suite
from skinframe.testing.metric_laws import METRIC
from skinframe.testing.prompt_laws import ATTRIBUTES, CLASSES, COLUMNS, prompt_suite
from skinframe.testing.reasoner_laws import reasoner_suite
from skinframe.testing.report_section_laws import REPORT_SECTION
from skinframe.testing.signal_strategies import Maker
from skinframe.testing.tracker_laws import TRACKER
from skinframe.testing.verb_laws import VERB

Reasons = Mapping[str, str]


def loss_contract(
    *losses: Loss, xfail: Reasons | None = None, signals: Mapping[str, Maker] | None = None, examples: int = 15
) -> pytest.MarkDecorator:
    """Parametrise a test over `loss` and `check`. `signals` draws those that the kit does not know by name.

    `xfail` maps a check's name to the reason why it must fail, beside what the class itself declares in `breaks`.
    """
    return contract(loss_suite(signals, examples), losses, xfail)


def encoder_contract(*encoders: Encoder, xfail: Reasons | None = None) -> pytest.MarkDecorator:
    """Parametrise a test over `encoder` and `check`; with none over `check` alone, for one that a fixture makes."""
    return contract(ENCODER, encoders, xfail)


def reasoner_contract(
    *reasoners: Reasoner, xfail: Reasons | None = None, shapes: Mapping[str, Shape] | None = None
) -> pytest.MarkDecorator:
    """Parametrise a test over `reasoner` and `check`; with no reasoner over `check` alone.

    `shapes` gives the signals that it reads, by full name; the kit makes 16 image tokens of width 24 otherwise.
    """
    return contract(reasoner_suite(shapes), reasoners, xfail)


def head_contract(
    *heads: Head, xfail: Reasons | None = None, shapes: Mapping[str, Shape] | None = None
) -> pytest.MarkDecorator:
    """Parametrise a test over `head` and `check`. `shapes` gives the signals that the kit does not know by name."""
    return contract(head_suite(shapes), heads, xfail)


def dataset_contract(*datasets: Dataset, xfail: Reasons | None = None) -> pytest.MarkDecorator:
    """Parametrise a test over `dataset` and `check`; with none over `check` alone, for one that a fixture makes."""
    return contract(DATASET, datasets, xfail)


def prompt_contract(
    *prompts: Prompt,
    xfail: Reasons | None = None,
    classes: Sequence[str] = CLASSES,
    attributes: Sequence[str] = ATTRIBUTES,
    columns: Sequence[Field] = COLUMNS,
) -> pytest.MarkDecorator:
    """Parametrise a test over `prompt` and `check`, with the classes, attributes and metadata that it is to word."""
    return contract(prompt_suite(classes, attributes, columns), prompts, xfail)


def balancer_contract(*balancers: Balancer, xfail: Reasons | None = None) -> pytest.MarkDecorator:
    """Parametrise a test over `balancer` and `check`."""
    return contract(BALANCER, balancers, xfail)


def metric_contract(*metrics: Metric, xfail: Reasons | None = None) -> pytest.MarkDecorator:
    """Parametrise a test over `metric` and `check`."""
    return contract(METRIC, metrics, xfail)


def calibrator_contract(*calibrators: Calibrator, xfail: Reasons | None = None) -> pytest.MarkDecorator:
    """Parametrise a test over `calibrator` and `check`."""
    return contract(CALIBRATOR, calibrators, xfail)


def explainer_contract(*explainers: Explainer, xfail: Reasons | None = None) -> pytest.MarkDecorator:
    """Parametrise a test over `explainer` and `check`."""
    return contract(EXPLAINER, explainers, xfail)


def column_contract(
    *columns: Column, xfail: Reasons | None = None, inputs: Mapping[str, Any] | None = None
) -> pytest.MarkDecorator:
    """Parametrise a test over `column` and `check`. `inputs` is what the feed passes beside the samples."""
    return contract(column_suite(inputs), columns, xfail)


def verb_contract(*verbs: Verb, xfail: Reasons | None = None) -> pytest.MarkDecorator:
    """Parametrise a test over `verb` and `check`; nothing is run."""
    return contract(VERB, verbs, xfail)


def report_section_contract(*sections: ReportSection, xfail: Reasons | None = None) -> pytest.MarkDecorator:
    """Parametrise a test over `report_section` and `check`."""
    return contract(REPORT_SECTION, sections, xfail)


def tracker_contract(*trackers: Tracker, xfail: Reasons | None = None) -> pytest.MarkDecorator:
    """Parametrise a test over `tracker` and `check`."""
    return contract(TRACKER, trackers, xfail)


def suites() -> dict[str, Suite]:
    """Return one suite per kind, by its name, with its own default inputs."""
    made = (loss_suite(), column_suite(), ENCODER, reasoner_suite(), head_suite(), DATASET, prompt_suite(), BALANCER)
    return {suite.kind: suite for suite in (*made, METRIC, CALIBRATOR, EXPLAINER, VERB, REPORT_SECTION, TRACKER)}


def contract(suite: Suite, components: Sequence[Component], xfail: Reasons | None = None) -> pytest.MarkDecorator:
    """Return one row a (component, check). Raises ValueError where a failure is declared of a check that is not run."""
    if not components:
        rows = [_row((check,), check.name, check.name, _declared(suite, None, xfail)) for check in suite.checks()]
        return pytest.mark.parametrize("check", rows)
    rows = []
    for component in components:
        reasons = _declared(suite, component, xfail)
        checks = suite.checks(component)
        rows += [_row((component, each), each.name, f"{title(component)}-{each.name}", reasons) for each in checks]
    return pytest.mark.parametrize((suite.kind, "check"), rows)


def _declared(suite: Suite, component: Component | None, xfail: Reasons | None) -> Reasons:
    own = {} if component is None else component.breaks
    known = {law.name for law in suite.laws}
    for where, names in (("xfail", set(xfail or {})), ("breaks", set(own))):
        if names - known:
            wrong, right = ", ".join(sorted(names - known)), ", ".join(sorted(known))
            raise ValueError(f"{where} names {wrong}, but the checks of a {suite.kind} are {right}")
    return {**own, **(xfail or {})}


def _row(values: tuple[Any, ...], check: str, name: str, reasons: Reasons) -> Any:
    marks = [pytest.mark.xfail(reason=reasons[check], strict=True)] if check in reasons else []
    return pytest.param(*values, id=name, marks=marks)


def title(component: Component) -> str:
    """Name a component with the options that differ from their defaults."""
    config = component.config
    if not is_dataclass(config):
        return component.name
    changed = [f"{each.name}={getattr(config, each.name)}" for each in fields(config) if _differs(config, each)]
    return f"{component.name}({','.join(changed)})" if changed else component.name


def _differs(config: Any, each: Any) -> bool:
    return bool(getattr(config, each.name) != each.default)
