"""The hooks: one a kind, each returns a list of classes. There are no lifecycle hooks."""

from __future__ import annotations

import pluggy

from skinframe.components import (
    Balancer,
    Calibrator,
    Column,
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

hookspec = pluggy.HookspecMarker("skinframe")


@hookspec
def register_datasets() -> list[type[Dataset]]:  # type: ignore[empty-body]
    """Return data set classes."""


@hookspec
def register_prompts() -> list[type[Prompt]]:  # type: ignore[empty-body]
    """Return prompt classes."""


@hookspec
def register_encoders() -> list[type[Encoder]]:  # type: ignore[empty-body]
    """Return frozen encoder classes."""


@hookspec
def register_reasoners() -> list[type[Reasoner]]:  # type: ignore[empty-body]
    """Return reasoner classes."""


@hookspec
def register_heads() -> list[type[Head]]:  # type: ignore[empty-body]
    """Return head classes."""


@hookspec
def register_columns() -> list[type[Column]]:  # type: ignore[empty-body]
    """Return classes of batch columns."""


@hookspec
def register_losses() -> list[type[Loss]]:  # type: ignore[empty-body]
    """Return loss classes."""


@hookspec
def register_balancers() -> list[type[Balancer]]:  # type: ignore[empty-body]
    """Return balancer classes."""


@hookspec
def register_metrics() -> list[type[Metric]]:  # type: ignore[empty-body]
    """Return metric classes."""


@hookspec
def register_calibrators() -> list[type[Calibrator]]:  # type: ignore[empty-body]
    """Return calibrator classes."""


@hookspec
def register_explainers() -> list[type[Explainer]]:  # type: ignore[empty-body]
    """Return explainer classes."""


@hookspec
def register_verbs() -> list[type[Verb]]:  # type: ignore[empty-body]
    """Return classes of commands."""


@hookspec
def register_report_sections() -> list[type[ReportSection]]:  # type: ignore[empty-body]
    """Return classes of report sections."""


@hookspec
def register_trackers() -> list[type[Tracker]]:  # type: ignore[empty-body]
    """Return tracker classes."""
