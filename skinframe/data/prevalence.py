"""Class prevalence in each part of a split, and the check that no class is missing or drifts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from skinframe.data.group_split import PARTS, Split
from skinframe.data.groups import components
from skinframe.errors import DataError
from skinframe.sample import Sample


@dataclass(frozen=True, kw_only=True)
class Prevalence:
    """One class in one part: number of images, their share of the part, and its difference from the whole set's."""

    part: str
    label: str
    images: int
    share: float
    drift: float


def prevalence(split: Split, samples: Sequence[Sample], classes: Sequence[str]) -> tuple[Prevalence, ...]:
    """Return one row for each part and class."""
    used = [index for name in PARTS for index in split.part(name)]
    whole = Counter(samples[index].label for index in used)
    rows = []
    for name in PARTS:
        tally = Counter(samples[index].label for index in split.part(name))
        size = len(split.part(name))
        for label, shown in enumerate(classes):
            share = tally[label] / size if size else 0.0
            drift = share - whole[label] / len(used)
            rows.append(Prevalence(part=name, label=shown, images=tally[label], share=share, drift=drift))
    return tuple(rows)


def check_prevalence(
    split: Split,
    samples: Sequence[Sample],
    classes: Sequence[str],
    *,
    waive: Collection[str] = (),
    max_drift: float = 0.05,
    given: bool = False,
) -> None:
    """Raise DataError if a part has no image of a class that is not waived, or if the share of a class drifts too far.

    A share may differ from the whole set's by `max_drift`, plus the share that the largest component of the class takes
    of the part: a patient with 40 lesions cannot be divided. `given` says that the split was read and not made.
    """
    rows = prevalence(split, samples, classes)
    missing = [row for row in rows if not row.images and row.label not in waive]
    if missing:
        pairs = ", ".join(f"{row.label} in {row.part}" for row in missing[:8])
        names = ",".join(dict.fromkeys(row.label for row in missing))
        change = "Change the split that was given" if given else "Choose other fractions or another seed"
        raise DataError(
            f"split: no image of {pairs}; its metrics would be undefined. {change}, or accept this:"
            f" split.waive=[{names}]"
        )
    largest = _largest(samples, classes)
    for row in rows:
        size = len(split.part(row.part))
        if abs(row.drift) > max_drift + largest[row.label] / max(1, size):
            raise DataError(
                f"split: {row.label} is {row.share:.1%} of {row.part} and {row.share - row.drift:.1%} of all samples; "
                f"the limit is {max_drift:.1%}. Choose another seed or raise split.max_drift"
            )


def _largest(samples: Sequence[Sample], classes: Sequence[str]) -> Mapping[str, int]:
    """Return for each class the largest number of its images in one component."""
    most: Counter[str] = Counter()
    for group in components(samples):
        for label, count in Counter(samples[index].label for index in group).items():
            most[classes[label]] = max(most[classes[label]], count)
    return most
