"""The environment of a run, from an allow-list: versions, device, commit. Reads no variable and starts no process."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from pathlib import Path
from typing import Any

from skinframe.planning import Plan
from skinframe.preparing.prepared_data import Prepared
from skinframe.running.git_state import git_state
from skinframe.version import __version__

ENGINE = ("torch", "numpy", "accelerate", "pillow", "scipy", "scikit-learn", "safetensors", "pyarrow")
DECIDES = ("torch", "numpy", "accelerate", "pillow")  # of the engine's libraries; of a plugin's, all
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def input_digests(prepared: Prepared) -> dict[str, str]:
    """Return what must be unchanged for a bitwise resume and is not part of the plan's identity.

    Thread count and precision are in the plan; here are device, libraries, split and cached features.
    """
    import torch

    plan = prepared.plan
    device = torch.cuda.get_device_name(0) if prepared.device == "cuda" else platform.machine()
    names = sorted({*DECIDES, *(name for plugin in _plugins(plan) for name in _required(plugin))})
    features = {f"cache.{name}": found.digest for name, found in sorted(prepared.features.items())}
    python = ".".join(platform.python_version_tuple()[:2])
    ties = {"python": python, "device": device, "split": prepared.split.digest, **features}
    return ties | {name: found for name in names if (found := _version(name)) is not None}


def environment(plan: Plan, device: str) -> dict[str, Any]:
    """Return what `environment.json` holds. Paths, user and host names are left out on purpose."""
    import torch

    plugins = _plugins(plan)
    libraries = sorted({*ENGINE, *(name for plugin in plugins for name in _required(plugin))})
    return {
        "skinframe": __version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(0) if device == "cuda" else "cpu",
        "seed": plan.recipe.seed,
        "libraries": {name: _version(name) for name in libraries},
        "plugins": {name: {"version": _version(name), "record_sha256": _record(name)} for name in plugins},
        "git": git_state(Path(plan.source).resolve().parent),
    }


def _plugins(plan: Plan) -> list[str]:
    """Return the distributions that the plan's components came from; a one-file plugin has none."""
    used = {origin.rpartition(" ")[0] for origin in plan.origins.values()} - {"skinframe"}
    return sorted(name for name in used if _version(name) is not None)


def _required(name: str) -> list[str]:
    """Return what a distribution requires, without extras; of a plugin that it builds on, what that one requires.

    skinframe-qwen is a thin name for skinframe-vlm, and a run depends on what the latter needs.
    """
    lines = [line for line in requires(name) or [] if "extra ==" not in line]
    names = [match[0] for line in lines if (match := NAME.match(line))]
    plugins = [other for other in names if other.startswith("skinframe-") and _version(other) is not None]
    libraries = [other for other in names if not other.startswith("skinframe")]
    return [*libraries, *(library for plugin in plugins for library in _required(plugin))]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except (PackageNotFoundError, ValueError):
        return None


def _record(name: str) -> str | None:
    """Return the digest of a distribution's list of file hashes; None for one installed from a working tree."""
    text = distribution(name).read_text("RECORD")
    return hashlib.sha256(text.encode()).hexdigest() if text else None
