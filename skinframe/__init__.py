"""skinframe: train, ablate and judge multimodal skin-cancer models from recipes and plugins."""

from __future__ import annotations

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
    Requirement,
    Tower,
)
from skinframe.errors import DataError, DiskError, NonFiniteError, NotWholeError, RecipeError, SkinframeError
from skinframe.hookmarker import hookimpl
from skinframe.precision import upcast
from skinframe.sample import Field, Sample
from skinframe.version import __version__

if TYPE_CHECKING:
    from skinframe.verbs.functions import (
        ablate,
        audit_data,
        check,
        compare,
        evaluate,
        learning_curve,
        new,
        plan,
        predict,
        report,
        reproduce,
        run,
        selftest,
        show,
        split_data,
        sweep,
        verify,
    )

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
    "Requirement",
    "Sample",
    "SkinframeError",
    "Tower",
    "__version__",
    "ablate",
    "audit_data",
    "check",
    "compare",
    "evaluate",
    "hookimpl",
    "learning_curve",
    "new",
    "plan",
    "predict",
    "report",
    "reproduce",
    "run",
    "selftest",
    "show",
    "split_data",
    "sweep",
    "upcast",
    "verify",
]

# a loss needs torch and numpy alone; the verbs, which need more, are imported at first use
_VERBS = frozenset(
    {
        "ablate",
        "audit_data",
        "check",
        "compare",
        "evaluate",
        "learning_curve",
        "new",
        "plan",
        "predict",
        "report",
        "reproduce",
        "run",
        "selftest",
        "show",
        "split_data",
        "sweep",
        "verify",
    }
)


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        from skinframe.verbs import functions

        return getattr(functions, name)
    raise AttributeError(f"module 'skinframe' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
