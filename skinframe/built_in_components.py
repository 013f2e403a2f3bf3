"""What the engine itself registers, through the same hooks as any plugin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skinframe.components import Balancer, Calibrator, Column, Explainer, Head, Metric, Tracker
from skinframe.data.columns import COLUMNS
from skinframe.evaluation.metric_registration import CALIBRATORS, METRICS
from skinframe.hookmarker import hookimpl
from skinframe.model.gradient_input_explainer import GradientInput
from skinframe.model.heads import AttributesHead, Fused, Linear, PooledLinear, Projection, Verbalizer
from skinframe.train.tensorboard import TensorBoard


class Unbalanced(Balancer):
    """The recipe's weights as they are, the default."""

    name = "none"

    def factors(self, terms: Sequence[str]) -> dict[str, float]:
        return {}

    def learn(self, values: Mapping[str, float], norms: Mapping[str, float]) -> None:
        """Learn nothing."""


@hookimpl
def register_columns() -> list[type[Column]]:
    return list(COLUMNS)


@hookimpl
def register_heads() -> list[type[Head]]:
    return [AttributesHead, Fused, Linear, PooledLinear, Projection, Verbalizer]


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


@hookimpl
def register_trackers() -> list[type[Tracker]]:
    return [TensorBoard]
