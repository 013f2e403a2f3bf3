"""What the engine itself registers, through the same hooks as any plugin."""

from __future__ import annotations

from skinframe.components import Balancer, Calibrator, Column, Explainer, Head, Metric
from skinframe.data.columns import COLUMNS
from skinframe.evaluation.register import CALIBRATORS, METRICS
from skinframe.hookmarker import hookimpl
from skinframe.model.explain import GradientInput
from skinframe.model.heads import Attributes, Fused, Linear, PooledLinear, Projection, Verbalizer
from skinframe.model.unbalanced import Unbalanced


@hookimpl
def register_columns() -> list[type[Column]]:
    return list(COLUMNS)


@hookimpl
def register_heads() -> list[type[Head]]:
    return [Attributes, Fused, Linear, PooledLinear, Projection, Verbalizer]


@hookimpl
def register_balancers() -> list[type[Balancer]]:
    return [Unbalanced]


@hookimpl
def register_metrics() -> list[type[Metric]]:
    return list(METRICS)


@hookimpl
def register_calibrators() -> list[type[Calibrator]]:
    return list(CALIBRATORS)


@hookimpl
def register_explainers() -> list[type[Explainer]]:
    return [GradientInput]
