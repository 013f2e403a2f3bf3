"""skinframe: train, ablate and judge multimodal skin-cancer models from recipes and plugins."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from skinframe.components import (
    Balancer,
    BinaryMetric,
    BuildContext,
    Calibrator,
    Column,
    ColumnContext,
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
    ReportSection,
    Requirement,
    Tower,
    Tracker,
    Verb,
)
from skinframe.errors import DataError, DiskError, NonFiniteError, NotWholeError, RecipeError, SkinframeError
from skinframe.hookmarker import hookimpl
from skinframe.precision import upcast
from skinframe.sample import Field, Sample
from skinframe.version import __version__

if TYPE_CHECKING:
    from skinframe.verbs.ablate import ablate
    from skinframe.verbs.check import check
    from skinframe.verbs.compare import compare
    from skinframe.verbs.data_audit import audit_data
    from skinframe.verbs.data_show import show_data
    from skinframe.verbs.data_split import split_data
    from skinframe.verbs.evaluate import evaluate
    from skinframe.verbs.learning_curve import learning_curve
    from skinframe.verbs.list_plugins import list_plugins
    from skinframe.verbs.new import new
    from skinframe.verbs.plan import plan
    from skinframe.verbs.plugin_verbs import verb
    from skinframe.verbs.predict import predict
    from skinframe.verbs.report import report
    from skinframe.verbs.reproduce import reproduce
    from skinframe.verbs.run import run
    from skinframe.verbs.selftest import selftest
    from skinframe.verbs.show import show
    from skinframe.verbs.sweep import sweep
    from skinframe.verbs.verify import verify

__all__ = [
    "Balancer",
    "BinaryMetric",
    "BuildContext",
    "Calibrator",
    "Column",
    "ColumnContext",
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
    "ReportSection",
    "Requirement",
    "Sample",
    "SkinframeError",
    "Tower",
    "Tracker",
    "Verb",
    "__version__",
    "ablate",
    "audit_data",
    "check",
    "compare",
    "evaluate",
    "hookimpl",
    "learning_curve",
    "list_plugins",
    "new",
    "plan",
    "predict",
    "report",
    "reproduce",
    "run",
    "selftest",
    "show",
    "show_data",
    "split_data",
    "sweep",
    "upcast",
    "verb",
    "verify",
]

# a loss needs torch and numpy alone; the verbs, which need more, are imported at first use
# each verb and its module in skinframe.verbs, imported at first use
_VERBS = {
    "ablate": "ablate",
    "audit_data": "data_audit",
    "check": "check",
    "compare": "compare",
    "evaluate": "evaluate",
    "learning_curve": "learning_curve",
    "list_plugins": "list_plugins",
    "new": "new",
    "plan": "plan",
    "predict": "predict",
    "report": "report",
    "reproduce": "reproduce",
    "run": "run",
    "selftest": "selftest",
    "show": "show",
    "show_data": "data_show",
    "split_data": "data_split",
    "sweep": "sweep",
    "verb": "plugin_verbs",
    "verify": "verify",
}


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        return getattr(import_module(f"skinframe.verbs.{_VERBS[name]}"), name)
    raise AttributeError(f"module 'skinframe' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
