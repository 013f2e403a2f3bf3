"""Slow and obvious maths on lists of floats, which the tensor code has to agree with."""

from __future__ import annotations

import math


def log_softmax(row: list[float]) -> list[float]:
    top = max(row)
    total = top + math.log(sum(math.exp(x - top) for x in row))
    return [x - total for x in row]


def softmax(row: list[float]) -> list[float]:
    return [math.exp(x) for x in log_softmax(row)]


def dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def unit(row: list[float]) -> list[float]:
    size = math.sqrt(dot(row, row))
    return [x / size for x in row]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def multi_positive(
    rows: list[list[float]],
    positives: list[list[bool]],
    ignored: list[list[bool]] | None = None,
    columns: list[list[float]] | None = None,
) -> float:
    """Both directions of the contrastive loss; `columns` has texts in rows."""
    total, n = 0.0, len(rows)
    for scores in (rows, columns or [list(column) for column in zip(*rows, strict=True)]):
        for i in range(n):
            kept = [j for j in range(n) if not (ignored and ignored[i][j])]
            top = max(scores[i][j] for j in kept)
            log_sum = top + math.log(sum(math.exp(scores[i][j] - top) for j in kept))
            own = [j for j in range(n) if positives[i][j]]
            total += -sum(scores[i][j] - log_sum for j in own) / len(own)
    return total / (2 * n)


def cosines(images: list[list[float]], texts: list[list[float]], scale: float) -> list[list[float]]:
    return [[scale * dot(image, text) for text in texts] for image in images]
