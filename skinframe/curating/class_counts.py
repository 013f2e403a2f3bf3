"""Class balance of each part of the split and of each value of each field, "not recorded" included."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from skinframe.curating.audit_result import ClassBalance, Subgroup
from skinframe.data.group_split import PARTS, Split
from skinframe.sample import Sample

BANDS = ((0, 30), (30, 45), (45, 60), (60, 75), (75, float("inf")))


def parts(samples: Sequence[Sample], classes: Sequence[str], split: Split | None) -> tuple[ClassBalance, ...]:
    """Return the whole set, and each part of its split where it has one."""
    rows = {"all": range(len(samples)), **({name: split.part(name) for name in PARTS} if split is not None else {})}
    balances = []
    for name, members in rows.items():
        chosen = [samples[row] for row in members]
        groups = len({sample.group for sample in chosen})
        counts = class_counts(chosen, classes)
        balances.append(ClassBalance(name=name, images=len(chosen), groups=groups, classes=counts))
    return tuple(balances)


def subgroups(samples: Sequence[Sample], classes: Sequence[str]) -> tuple[Subgroup, ...]:
    """Return one row for each field and value; numbers are cut into bands."""
    held: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        for name, value in sample.metadata.items():
            held[name, _shown(value)].append(sample)
    return tuple(
        Subgroup(column=name, value=value, images=len(chosen), classes=class_counts(chosen, classes))
        for (name, value), chosen in sorted(held.items())
    )


def class_counts(samples: Sequence[Sample], classes: Sequence[str]) -> dict[str, int]:
    tally = Counter(sample.label for sample in samples)
    return {name: tally[number] for number, name in enumerate(classes)}


def _shown(value: str | float | None) -> str:
    if value is None:
        return "not recorded"
    if isinstance(value, str):
        return value
    low, high = next((band for band in BANDS if band[0] <= value < band[1]), (float("-inf"), 0))
    return f"{low:g} to {high:g}" if high < float("inf") else f"{low:g} and more"
