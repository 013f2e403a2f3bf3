"""Synthetic patients, lesions and photographs, sampled from the tables; one random stream per patient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skinframe.sample import Sample, Value
from skinframe.seeding import derive
from skinframe_tiny import likelihoods

LESIONS = (0.62, 0.26, 0.12)  # p(1, 2, 3 lesions on a patient), independent of the class
PHOTOGRAPHS = (0.66, 0.24, 0.10)  # p(1, 2, 3 photographs of a lesion), independent of the class
UNRECORDED = 0.03  # share of each metadata value that is missing, at random


@dataclass(frozen=True, kw_only=True)
class Photograph:
    """One sample, what its image shows, and the seeds of the lesion's form and of this photograph."""

    sample: Sample
    findings: likelihoods.Findings
    tone: int
    lesion_seed: int
    photo_seed: int


def photographs(seed: int, count: int) -> tuple[Photograph, ...]:
    """Return the first `count` photographs for `seed`; a larger count only appends to them."""
    drawn: list[Photograph] = []
    patient = 0
    while len(drawn) < count:
        drawn.extend(_patient(seed, patient))
        patient += 1
    return tuple(drawn[:count])


def _patient(seed: int, number: int) -> Iterator[Photograph]:
    """Draw one patient: age and sex from their joint distribution, then each lesion's class given both.

    p(class | age, sex) follows from the tables by Bayes' rule, so p(age | class) over all lesions is the table again.
    """
    rng = np.random.default_rng(derive(seed, "patient", number))
    joint = np.einsum("c,ca,cs->cas", likelihoods.PRIOR, likelihoods.AGE, likelihoods.SEX)
    age, sex = np.unravel_index(_pick(rng, joint.sum(axis=0).ravel()), joint.shape[1:])
    tone = _pick(rng, likelihoods.TONE)
    metadata: dict[str, Value] = {"age": likelihoods.AGES[age], "sex": likelihoods.SEXES[sex]}
    metadata = {name: None if rng.random() < UNRECORDED else value for name, value in metadata.items()}
    classes = joint[:, age, sex] / joint[:, age, sex].sum()
    for lesion in range(1 + _pick(rng, np.array(LESIONS))):
        yield from _lesion(rng, seed, f"P{number:05d}", lesion, _pick(rng, classes), tone, metadata)


def _lesion(
    rng: np.random.Generator, seed: int, patient: str, number: int, label: int, tone: int, metadata: dict[str, Value]
) -> Iterator[Photograph]:
    lesion = f"{patient}-L{number}"
    findings = likelihoods.Findings(
        colour=_pick(rng, likelihoods.COLOUR[label]),
        pattern=_pick(rng, likelihoods.PATTERN[label]),
        border=_pick(rng, likelihoods.BORDER[label]),
        attributes=tuple(
            bool(present) for present in rng.random(len(likelihoods.ATTRIBUTES)) < likelihoods.ATTRIBUTE[label]
        ),
    )
    site = likelihoods.SITES[_pick(rng, likelihoods.SITE[label])]
    recorded = metadata | {"site": None if rng.random() < UNRECORDED else site}
    for photo in range(1 + _pick(rng, np.array(PHOTOGRAPHS))):
        name = f"{lesion}-{photo}"
        sample = Sample(
            id=name,
            image=f"{name}.png",
            label=label,
            patient=patient,
            lesion=lesion,
            metadata=recorded,
            attributes=findings.attributes,
        )
        yield Photograph(
            sample=sample,
            findings=findings,
            tone=tone,
            lesion_seed=derive(seed, "lesion", lesion),
            photo_seed=derive(seed, "sample", name),
        )


def _pick(rng: np.random.Generator, probabilities: likelihoods.Array) -> int:
    """Draw an index by inversion: always one uniform number, so that streams stay aligned."""
    edges = np.cumsum(probabilities)
    return int(np.searchsorted(edges, rng.random() * edges[-1], side="right").clip(0, len(edges) - 1))
