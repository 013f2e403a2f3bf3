"""Diagnosis of a non-finite loss or gradient: the samples that cause it, and a bundle to reproduce the step."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from skinframe.atomic_write import disk_errors, write_json
from skinframe.data.feed import Feed
from skinframe.errors import SkinframeError
from skinframe.model.module import Model
from skinframe.model.objective import Objective

MOST = 256  # samples that are run alone; a step has rarely more


@dataclass(frozen=True, kw_only=True)
class StepInputs:
    """Rows, views and seed of each micro-batch of a step, and when in the run it is taken."""

    step: int
    epoch: int
    moment: float
    micro: Sequence[Sequence[int]]
    views: Sequence[Sequence[int]]
    seeds: Sequence[int]


def diagnosed(
    folder: Path, scene: StepInputs, message: str, model: Model, objective: Objective, feed: Feed, last: str | None
) -> str:
    """Write the bundle and a line of the log that names it; return the message with both."""
    path, samples = write_diagnosis(folder, scene, message, model, objective, feed, last)
    log = folder / "log.jsonl"
    with disk_errors(log), log.open("ab", buffering=0) as stream:
        entry = {"step": scene.step, "epoch": scene.epoch, "not_finite": message, "diagnosis": path.name}
        stream.write(json.dumps(entry).encode() + b"\n")
    alone = f"not finite on their own: {', '.join(samples[:8])}; " if samples else ""
    return f"{message}; {alone}diagnosis in {path}"


def write_diagnosis(
    folder: Path, scene: StepInputs, message: str, model: Model, objective: Objective, feed: Feed, last: str | None
) -> tuple[Path, list[str]]:
    """Write `diagnosis-step-N.json`; return its path and the samples that are not finite on their own."""
    weights = objective.weights(scene.moment)
    batches: list[dict[str, Any]] = [
        {
            "seed": seed,
            "terms": _plain(_terms(model, objective, feed, rows, views, weights, seed)[0]),
            "samples": [
                _alone(model, objective, feed, row, view, weights, seed) for row, view in zip(rows, views, strict=True)
            ],
        }
        for rows, views, seed in list(zip(scene.micro, scene.views, scene.seeds, strict=True))[:MOST]
    ]
    samples = [sample["id"] for batch in batches for sample in batch["samples"] if not sample["finite"]]
    parameters = [n for n, p in model.trained_parameters() if p.grad is not None and not _finite(p.grad)]
    path = folder / f"diagnosis-step-{scene.step}.json"
    statement = {
        "message": message,
        "step": scene.step,
        "epoch": scene.epoch,
        "weights": weights,
        "micro_batches": batches,
        "not_finite_alone": samples,
        "parameters_with_gradients_not_finite": parameters,
        "last_checkpoint": last,
    }
    write_json(path, statement)
    return path, samples


def _alone(
    model: Model, objective: Objective, feed: Feed, row: int, view: int, weights: Mapping[str, float], seed: int
) -> dict[str, Any]:
    batch = feed.batch([row], [view], model.wanted)
    inputs = sorted(name for name in batch if feed.is_frozen(name) and not _finite(batch[name]))
    terms, gradient = _terms(model, objective, feed, [row], [view], weights, seed)
    whole = not inputs and math.isfinite(gradient) and all(map(math.isfinite, terms.values()))
    return {
        "id": feed.ids[row],
        "view": view,
        "finite": whole,
        "inputs_not_finite": inputs,
        "terms": _plain(terms),
        "gradient_norm": _plain({"norm": gradient})["norm"],
    }


def _terms(
    model: Model,
    objective: Objective,
    feed: Feed,
    rows: Sequence[int],
    views: Sequence[int],
    weights: Mapping[str, float],
    seed: int,
) -> tuple[dict[str, float], float]:
    """Return each term and the norm of the gradient; nothing where a term is not defined for so few samples."""
    torch.manual_seed(seed)
    try:
        parts = objective.parts(model(feed.batch(rows, views, model.wanted)), weights)
    except SkinframeError:
        return {}, 0.0
    total = torch.stack([parts[name].float() * weights[name] for name in parts]).sum()
    parameters = [parameter for _, parameter in model.trained_parameters()]
    gradients = torch.autograd.grad(total, parameters, allow_unused=True) if total.requires_grad else ()
    square = sum(float(gradient.double().square().sum()) for gradient in gradients if gradient is not None)
    return {name: float(part.detach()) for name, part in parts.items()}, math.sqrt(square)


def _finite(value: Tensor) -> bool:
    return bool(torch.isfinite(value).all())


def _plain(values: Mapping[str, float]) -> dict[str, Any]:
    """JSON has no NaN: what is not finite is written as a word."""
    return {name: value if math.isfinite(value) else str(value) for name, value in values.items()}
