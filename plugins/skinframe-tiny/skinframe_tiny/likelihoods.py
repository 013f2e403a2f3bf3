"""The generative model of the synthetic images: the probability of every finding and metadata value given the class.

Given the class, attributes, latents (colour, pattern, border), site, age and sex are independent of each other. The
image shows the attributes and the latents and nothing else of the class, so that

    p(class | image, metadata) ∝ p(class) · p(age | class) · p(sex | class) · p(site | class)
                                 · Π p(attribute | class) · Π p(latent | class)

is exact. The numbers are invented: plausible, and chosen so that the metadata decides where the image cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinframe.sample import Value

Array = NDArray[np.float64]

CLASSES = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")
ATTRIBUTES = (
    "atypical_network",
    "blue_whitish_veil",
    "atypical_vessels",
    "irregular_streaks",
    "irregular_pigmentation",
    "irregular_dots_globules",
    "regression_structures",
)
AGES = tuple(float(age) for age in range(20, 90, 5))
SEXES = ("female", "male")
SITES = (
    "head/neck",
    "upper extremity",
    "lower extremity",
    "anterior torso",
    "posterior torso",
    "palms/soles",
    "oral/genital",
)
COLOURS = ("brown", "tan", "pink", "red")
PATTERNS = ("reticular", "homogeneous", "ovoid_nests", "lacunar", "keratotic", "central_patch")
BORDERS = ("regular", "irregular")
TONES = 5  # skin tones, light to dark; independent of everything else


def _rows(*rows: Sequence[float] | Array) -> Array:
    table = np.array(rows, dtype=np.float64)
    table /= table.sum(axis=1, keepdims=True)
    table.setflags(write=False)
    return table


def _ages(*means_and_deviations: tuple[float, float]) -> Array:
    ages = np.array(AGES)
    return _rows(*(np.exp(-0.5 * ((ages - mean) / deviation) ** 2) for mean, deviation in means_and_deviations))


# Every table has one row per class, in the order of CLASSES.
PRIOR = _rows((0.14, 0.45, 0.12, 0.05, 0.10, 0.04, 0.04, 0.06))[0]
ATTRIBUTE = np.array(
    [  # network veil vessels streaks pigment dots regression
        (0.60, 0.52, 0.30, 0.46, 0.66, 0.60, 0.42),
        (0.12, 0.04, 0.03, 0.07, 0.10, 0.16, 0.05),
        (0.03, 0.14, 0.72, 0.05, 0.16, 0.20, 0.10),
        (0.05, 0.02, 0.24, 0.03, 0.12, 0.08, 0.08),
        (0.07, 0.06, 0.05, 0.05, 0.26, 0.14, 0.18),
        (0.14, 0.02, 0.07, 0.03, 0.07, 0.06, 0.06),
        (0.02, 0.14, 0.08, 0.02, 0.05, 0.03, 0.02),
        (0.03, 0.05, 0.68, 0.04, 0.16, 0.10, 0.07),
    ]
)
ATTRIBUTE.setflags(write=False)
COLOUR = _rows(
    (0.78, 0.09, 0.09, 0.04),
    (0.72, 0.22, 0.05, 0.01),
    (0.08, 0.10, 0.76, 0.06),
    (0.03, 0.27, 0.67, 0.03),
    (0.36, 0.55, 0.07, 0.02),
    (0.36, 0.34, 0.28, 0.02),
    (0.03, 0.02, 0.10, 0.85),
    (0.04, 0.10, 0.64, 0.22),
)
PATTERN = _rows(
    (0.42, 0.38, 0.08, 0.02, 0.05, 0.05),
    (0.66, 0.28, 0.02, 0.01, 0.02, 0.01),
    (0.02, 0.17, 0.74, 0.01, 0.05, 0.01),
    (0.05, 0.25, 0.02, 0.01, 0.66, 0.01),
    (0.08, 0.12, 0.03, 0.01, 0.74, 0.02),
    (0.11, 0.08, 0.01, 0.01, 0.02, 0.77),
    (0.01, 0.11, 0.02, 0.84, 0.01, 0.01),
    (0.01, 0.36, 0.05, 0.03, 0.52, 0.03),
)
BORDER = _rows(
    (0.22, 0.78),
    (0.90, 0.10),
    (0.48, 0.52),
    (0.60, 0.40),
    (0.80, 0.20),
    (0.92, 0.08),
    (0.85, 0.15),
    (0.24, 0.76),
)
AGE = _ages((60, 14), (34, 12), (69, 11), (72, 9), (64, 11), (42, 10), (46, 18), (77, 8))
SEX = _rows(
    (0.42, 0.58), (0.55, 0.45), (0.38, 0.62), (0.34, 0.66), (0.48, 0.52), (0.74, 0.26), (0.58, 0.42), (0.28, 0.72)
)
SITE = _rows(
    (0.14, 0.16, 0.20, 0.16, 0.28, 0.05, 0.01),
    (0.05, 0.14, 0.20, 0.30, 0.27, 0.03, 0.01),
    (0.60, 0.07, 0.06, 0.13, 0.13, 0.005, 0.005),
    (0.72, 0.19, 0.04, 0.02, 0.02, 0.005, 0.005),
    (0.22, 0.12, 0.12, 0.24, 0.28, 0.01, 0.01),
    (0.02, 0.20, 0.62, 0.06, 0.08, 0.01, 0.01),
    (0.14, 0.12, 0.14, 0.30, 0.16, 0.06, 0.08),
    (0.34, 0.34, 0.20, 0.04, 0.03, 0.02, 0.03),
)
TONE = np.array([0.28, 0.28, 0.22, 0.14, 0.08])


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything class-dependent in an image: indices into COLOURS, PATTERNS, BORDERS, and the attributes' presence."""

    colour: int
    pattern: int
    border: int
    attributes: tuple[bool, ...]


def image_likelihood(findings: Findings) -> Array:
    """Return p(attributes, latents | class) [C]."""
    present = np.array(findings.attributes, dtype=bool)
    attributes = np.where(present, ATTRIBUTE, 1 - ATTRIBUTE).prod(axis=1)
    latents = COLOUR[:, findings.colour] * PATTERN[:, findings.pattern] * BORDER[:, findings.border]
    return np.asarray(attributes * latents, dtype=np.float64)


def metadata_likelihood(metadata: Mapping[str, Value]) -> Array:
    """Return p(age, sex, site | class) [C]; None and absent values are missing at random and carry no information.

    Raises ValueError for a value that the tables do not have.
    """
    likelihood = np.ones(len(CLASSES))
    for name, values, table in (("age", AGES, AGE), ("sex", SEXES, SEX), ("site", SITES, SITE)):
        value = metadata.get(name)
        if value is not None:
            if value not in values:
                raise ValueError(f"metadata '{name}': {value!r} is not one of {', '.join(map(str, values))}")
            likelihood = likelihood * table[:, list(values).index(value)]
    return likelihood


def posterior(findings: Findings, metadata: Mapping[str, Value]) -> Array:
    """Return p(class | image, metadata) [C], by Bayes' rule over the tables above."""
    joint = PRIOR * image_likelihood(findings) * metadata_likelihood(metadata)
    return np.asarray(joint / joint.sum(), dtype=np.float64)
