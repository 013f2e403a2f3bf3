"""Values that losses derive from the training counts: class weights, margins, offsets."""

from __future__ import annotations

from collections.abc import Sequence

from skinframe.errors import DataError
from skinframe.preparing.prepared_data import Prepared
from skinframe.reporting.report_values import Derived


def derived_numbers(prepared: Prepared) -> tuple[Derived, ...]:
    """Return the numbers of every term that takes part, one a class.

    Raises DataError naming the term where a class has no training sample and the term needs one.
    """
    plan = prepared.plan
    classes = plan.parts.dataset.classes
    train = prepared.split.counts(prepared.samples, classes)["train"]
    counts = [train[name] for name in classes]
    derived = []
    for term in plan.graph.terms:
        try:
            numbers = plan.parts.losses[term].derived(counts)
        except ValueError as error:
            raise DataError(f"losses.{term}: {error}") from error
        derived += [Derived(term=term, name=name, values=_by_class(classes, row)) for name, row in numbers.items()]
    return tuple(derived)


def derived_lines(derived: Sequence[Derived]) -> list[str]:
    """Return one line a term and number, for the start of a run."""
    return [
        f"losses.{each.term}: {each.name} " + ", ".join(f"{name} {value:.4g}" for name, value in each.values.items())
        for each in derived
    ]


def _by_class(classes: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(classes, values, strict=True)}
