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
