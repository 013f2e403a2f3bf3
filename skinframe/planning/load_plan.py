"""Plans a recipe file, and refuses to run one without its weights, data or GPU. Loads no torch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from skinframe.errors import DataError, Problem, RecipeError
from skinframe.planning import Plan, make_plan
from skinframe.planning.resolve_components import misfits
from skinframe.plugins import load
from skinframe.recipe.load_recipe import compose
from skinframe.recipe.recipe_schema import Recipe
from skinframe.recipe.typed_dataclasses import typed

PROCESS_COUNTS = ("WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")  # as launchers set them
# Settings of other tools that change precision, kernels, gradients or what a step is. Numbers of threads are not among
# them: a recipe sets its own (train.threads).
FOREIGN = frozenset(
    {
        *(
            f"ACCELERATE_{name}"
            for name in ("GRADIENT_ACCUMULATION_STEPS", "MIXED_PRECISION", "USE_CPU", "TORCH_DEVICE")
        ),
        *(f"ACCELERATE_{name}" for name in ("DYNAMO_BACKEND", "SPLIT_BATCHES", "USE_IPEX", "USE_PARALLELISM_CONFIG")),
        *(f"ACCELERATE_USE_{name}" for name in ("FSDP", "DEEPSPEED", "MEGATRON_LM", "XPU")),
        *("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "ONEDNN_DEFAULT_FPMATH_MODE", "MKL_CBWR"),
        *("DNNL_DEFAULT_FPMATH_MODE", "PYTORCH_TUNABLEOP_ENABLED", "PYTORCH_ENABLE_MPS_FALLBACK", "TIMM_FUSED_ATTN"),
        *("TIMM_USE_FLEX_ATTN", "DISABLE_ADDMM_CUDA_LT", "TORCH_BLAS_PREFER_CUBLASLT", "TORCH_FORCE_WEIGHTS_ONLY_LOAD"),
        *("BNB_CUDA_VERSION", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"),
    }
)
UNSET = frozenset({"", "0", "no", "false", "none"})  # switched off, in lower case
NOTHING = {"ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "1"}  # a value that changes nothing
# Each floor closes a published hole: code run from a pickle or a config.json, decoders that allocate without a bound.
FLOORS = {"torch": (2, 10), "transformers": (5, 3), "pillow": (12, 3)}


def plan_of(
    recipe: str | Path,
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    without: Sequence[str] = (),
    plugins: Sequence[str | Path] = (),
) -> Plan:
    """Return the plan of a recipe. Raises RecipeError with every problem at once; loads no weights."""
    data, problems = compose(recipe, presets, overrides, without)
    made, more_problems = typed(Recipe, data, "")
    problems += more_problems
    names = data.get("requires") or []
    if made is None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise RecipeError(str(recipe), problems)
    catalog = load(names if made is None else made.requires, [Path(plugin) for plugin in plugins], str(recipe))
    if made is None or problems:
        raise RecipeError(str(recipe), [*problems, *misfits(data, catalog)])
    return make_plan(made, catalog, str(recipe))


def refuse_processes(environment: Mapping[str, str]) -> None:
    """Refuse a run that a launcher started in several processes: each would train alone on the whole data.

    Raises RecipeError; `environment` is `os.environ`.
    """
    for name in PROCESS_COUNTS:
        count = environment.get(name, "")
        if count.isdecimal() and int(count) > 1:
            what = f"says {count} processes, and a run is one process; start it with `skinframe run`"
            raise RecipeError("launcher", [Problem(name, what)])


def refuse_foreign_settings(environment: Mapping[str, str]) -> None:
    """Refuse a run whose environment holds another tool's settings that would change numbers the recipe does not name.

    Raises RecipeError with every such variable; `environment` is `os.environ`.
    """
    problems = [
        Problem(name, f"is {environment[name]!r} and would change the results behind the recipe's back; unset {name}")
        for name in sorted(environment)
        if name in FOREIGN and environment[name].lower() not in UNSET and environment[name] != NOTHING.get(name)
    ]
    if problems:
        raise RecipeError("environment", problems)


def refuse_old_libraries(source: str) -> None:
    """Raise RecipeError naming each library below its floor; one that is not installed is no problem."""
    problems = [
        Problem(name, f"version {found} is below {'.'.join(map(str, floor))}; pip install --upgrade {name}")
        for name, floor in FLOORS.items()
        if (found := _version(name)) is not None and _numbers(found) < floor
    ]
    if problems:
        raise RecipeError(source, problems)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def refuse_missing(plan: Plan) -> None:
    """Refuse a run that lacks something, with the next step for each thing.

    Raises DataError where only data is missing, RecipeError where weights or a GPU are.
    """
    if not plan.missing:
        return
    problems = [Problem(r.kind, f"{r.what}; next: {r.next_step}") for r in plan.missing]
    refusal = RecipeError(plan.source, problems)
    if all(requirement.kind == "data" for requirement in plan.missing):
        raise DataError(str(refusal))
    raise refusal
