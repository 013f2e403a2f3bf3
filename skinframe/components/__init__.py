"""The abstract bases of everything that a recipe can name. Two levels only: abstract here, final in a plugin.

A component is light: building one reads no weights and imports no torch. The method that makes the heavy thing
(`load`, `build`) imports what it needs.
"""

from __future__ import annotations

from skinframe.components.balance import Balancer
from skinframe.components.base import Component, ModuleRow, NoConfig, Requirement, Role, Shape
from skinframe.components.binary import BinaryMetric, Positive
from skinframe.components.data import Dataset, Prompt, PromptText
from skinframe.components.facts import Facts
from skinframe.components.judge import Calibrator, Coupling, Explainer, Loss, Metric
from skinframe.components.model import BuildContext, Encoder, Head, Reasoner, Tower

KINDS: dict[str, type[Component]] = {
    kind.kind: kind
    for kind in (Dataset, Prompt, Encoder, Reasoner, Head, Loss, Balancer, Metric, Calibrator, Explainer)
}

__all__ = [
    "KINDS",
    "Balancer",
    "BinaryMetric",
    "BuildContext",
    "Calibrator",
    "Component",
    "Coupling",
    "Dataset",
    "Encoder",
    "Explainer",
    "Facts",
    "Head",
    "Loss",
    "Metric",
    "ModuleRow",
    "NoConfig",
    "Positive",
    "Prompt",
    "PromptText",
    "Reasoner",
    "Requirement",
    "Role",
    "Shape",
    "Tower",
]
