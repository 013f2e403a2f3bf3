"""The curves of the report, read back from the run's own logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skinframe.reporting.schema import Curve, Training

POINTS = 200  # on the page; the log keeps every step


def training_curves(folder: Path, chosen: int | None) -> Training:
    """Return loss parts, weights, gradient norms and their shares by step, and validation metrics by epoch."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    history: list[dict[str, float | None]] = json.loads((folder / "validation.json").read_text())
    names = list(dict.fromkeys(name for line in lines for name in line["parts"]))
    return Training(
        validation=tuple(
            Curve(name=metric, x=tuple(range(1, len(history) + 1)), y=tuple(entry[metric] for entry in history))
            for metric in (history[0] if history else {})
        ),
        losses=tuple(_curve(lines, name, "value") for name in names),
        weights=tuple(_curve(lines, name, "weight") for name in names),
        gradients=tuple(_curve(lines, name, "grad_norm") for name in names),
        shares=tuple(_curve(lines, name, "grad_share") for name in names),
        chosen_epoch=None if chosen is None else chosen + 1,
    )


def _curve(lines: Sequence[dict[str, Any]], name: str, key: str) -> Curve:
    """Return one part over the steps, averaged in at most `POINTS` windows."""
    points = [(line["step"], line["parts"][name][key]) for line in lines if key in line["parts"].get(name, {})]
    width = max(1, -(-len(points) // POINTS))
    windows = [points[start : start + width] for start in range(0, len(points), width)]
    return Curve(
        name=name,
        x=tuple(sum(x for x, _ in window) / len(window) for window in windows),
        y=tuple(sum(y for _, y in window) / len(window) for window in windows),
    )
