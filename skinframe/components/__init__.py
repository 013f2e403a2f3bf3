"""The abstract bases of everything that a recipe can name. Two levels only: abstract here, final in a plugin.

A component is light: building one reads no weights and imports no torch. The method that makes the heavy thing
(`load`, `build`) imports what it needs.
"""

from __future__ import annotations

from skinframe.components.balancer import Balancer
from skinframe.components.base import BuildContext, Component, ModuleRow, NoConfig, Requirement, Role, Shape
from skinframe.components.calibrator import Calibrator
from skinframe.components.column import Column, ColumnContext
from skinframe.components.dataset import Dataset
from skinframe.components.encoder import Encoder, Tower
from skinframe.components.explainer import Explainer
from skinframe.components.head import Head
from skinframe.components.loss import Coupling, Loss
from skinframe.components.metric import BinaryMetric, Facts, Metric, Positive
from skinframe.components.prompt import Prompt, PromptText
from skinframe.components.reasoner import Reasoner
from skinframe.components.report_section import (
    PredictedPart,
    ReportSection,
    RunData,
    SectionContent,
    SectionNumber,
    SectionRow,
    SectionTable,
    SectionTest,
)
from skinframe.components.tracker import Tracker
from skinframe.components.verb import Verb, option

KINDS: dict[str, type[Component]] = {
    kind.kind: kind
    for kind in (
        Dataset,
        Column,
        Prompt,
        Encoder,
        Reasoner,
        Head,
        Loss,
        Balancer,
        Metric,
        Calibrator,
        Explainer,
        Verb,
        ReportSection,
        Tracker,
    )
}

__all__ = [
    "KINDS",
    "Balancer",
    "BinaryMetric",
    "BuildContext",
    "Calibrator",
    "Column",
    "ColumnContext",
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
    "PredictedPart",
    "Prompt",
    "PromptText",
    "Reasoner",
    "ReportSection",
    "Requirement",
    "Role",
    "RunData",
    "SectionContent",
    "SectionNumber",
    "SectionRow",
    "SectionTable",
    "SectionTest",
    "Shape",
    "Tower",
    "Tracker",
    "Verb",
    "option",
]
