"""skinframe: train, ablate and judge multimodal skin-cancer models from recipes and plugins."""

from __future__ import annotations

from skinframe.api import audit_data, compare, evaluate, plan, predict, report, reproduce, run, show, split_data, verify
from skinframe.components import (
    Balancer,
    BinaryMetric,
    BuildContext,
    Calibrator,
    Dataset,
    Encoder,
    Explainer,
    Facts,
    Head,
    Loss,
    Metric,
    ModuleRow,
    Positive,
    Prompt,
    PromptText,
    Reasoner,
    Requirement,
    Tower,
)
from skinframe.errors import DataError, DiskError, NonFiniteError, NotWholeError, RecipeError, SkinframeError
from skinframe.hookspecs import hookimpl
from skinframe.precision import upcast
from skinframe.sample import Field, Sample
from skinframe.version import __version__

__all__ = [
    "Balancer",
    "BinaryMetric",
    "BuildContext",
    "Calibrator",
    "DataError",
    "Dataset",
    "DiskError",
    "Encoder",
    "Explainer",
    "Facts",
    "Field",
    "Head",
    "Loss",
    "Metric",
    "ModuleRow",
    "NonFiniteError",
    "NotWholeError",
    "Positive",
    "Prompt",
    "PromptText",
    "Reasoner",
    "RecipeError",
    "Requirement",
    "Sample",
    "SkinframeError",
    "Tower",
    "__version__",
    "audit_data",
    "compare",
    "evaluate",
    "hookimpl",
    "plan",
    "predict",
    "report",
    "reproduce",
    "run",
    "show",
    "split_data",
    "upcast",
    "verify",
]
