"""Captions: true statements about a synthetic image in several wordings, and the images that each is true of.

A fact is one column: a class, an attribute present, an attribute absent, a colour, a pattern, a border. A caption
states some facts of one image, and is true of every image that has them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinframe_tiny import likelihoods
from skinframe_tiny.patients import Photograph

CLASS_NAMES = (
    ("melanoma",),
    ("melanocytic nevus", "nevus", "benign nevus"),
    ("basal cell carcinoma",),
    ("actinic keratosis",),
    ("benign keratosis", "seborrheic keratosis"),
    ("dermatofibroma",),
    ("vascular lesion", "angioma"),
    ("squamous cell carcinoma",),
)
PRESENT = (
    ("atypical network", "atypical pigment network", "broad irregular network"),
    ("blue-whitish veil", "blue whitish veil", "blue-white veil"),
    ("atypical vessels", "branching vessels", "dotted vessels", "looped vessels", "irregular vessels"),
    ("irregular streaks", "streaks at the rim"),
    ("irregular pigmentation", "dark blotch", "irregular blotches"),
    ("irregular dots and globules", "irregular dots globules", "irregular dots"),
    ("regression structures", "white scar-like areas with peppering", "regression"),
)
COLOUR_NAMES = (
    ("brown colour", "brown"),
    ("tan colour", "light brown"),
    ("pink colour", "pink"),
    ("red colour", "red-purple"),
)
PATTERN_NAMES = (
    ("reticular pattern", "regular network", "fine network"),
    ("homogeneous pattern", "even colour", "structureless area"),
    ("ovoid nests", "blue-grey ovoid nests"),
    ("lacunae", "red or purple lacunae", "lacunar pattern"),
    ("milia-like cysts", "keratotic surface", "keratin masses", "scale"),
    ("central white patch", "central white scar"),
)
BORDER_NAMES = (
    ("regular border", "symmetric shape", "symmetric pattern"),
    ("irregular border", "asymmetric shape", "asymmetric pattern"),
)
ABSENT = tuple(tuple(f"no {name}" for name in names) for names in PRESENT)
PHRASES = (*CLASS_NAMES, *PRESENT, *ABSENT, *COLOUR_NAMES, *PATTERN_NAMES, *BORDER_NAMES)
OPENINGS = ("a dermoscopic image of {}", "dermoscopy of {}", "a dermoscopic photograph of {}", "{}", "assessment: {}")
NOTHING = ("no checklist feature", "no checklist features")
AT_CLASS, AT_PRESENT, AT_ABSENT, AT_COLOUR, AT_PATTERN, AT_BORDER = 0, 8, 15, 22, 26, 32


@dataclass(frozen=True, kw_only=True)
class Caption:
    """A text and the facts it states, as columns of `facts`."""

    text: str
    states: tuple[int, ...]


def facts(shown: Sequence[Photograph]) -> NDArray[np.bool_]:
    """Return [N, F]: which facts hold of each photograph."""
    table = np.zeros((len(shown), len(PHRASES)), dtype=bool)
    for row, photograph in zip(table, shown, strict=True):
        present = np.array(photograph.findings.attributes)
        row[AT_CLASS + photograph.sample.label] = True
        row[AT_PRESENT:AT_ABSENT], row[AT_ABSENT:AT_COLOUR] = present, ~present
        row[AT_COLOUR + photograph.findings.colour] = True
        row[AT_PATTERN + photograph.findings.pattern] = True
        row[AT_BORDER + photograph.findings.border] = True
    return table


def truth(held: NDArray[np.bool_], captions: Sequence[Caption]) -> NDArray[np.bool_]:
    """Return [N, M]: whether caption m is true of image n, given facts [N, F]."""
    return np.stack([held[:, list(caption.states)].all(axis=1) for caption in captions], axis=1)


def phrase(rng: np.random.Generator, fact: int) -> Caption:
    """Return one fact alone, in one of its wordings, half the time as a whole caption."""
    words = _choose(rng, PHRASES[fact])
    if fact >= AT_PRESENT and rng.random() < 0.5:
        words = f"skin lesion with {words}"
    return Caption(text=_choose(rng, OPENINGS).format(words), states=(fact,))


def describe(rng: np.random.Generator, held: NDArray[np.bool_]) -> Caption:
    """Return a caption of one image with facts [F]: often its class, some of its findings, sometimes its site."""
    states: list[int] = []
    name = _choose(rng, ("skin lesion", "lesion"))
    if rng.random() < 0.6:
        states.append(int(held[AT_CLASS:AT_PRESENT].argmax()))
        name = _choose(rng, PHRASES[states[0]])
    present = [AT_PRESENT + int(a) for a in np.flatnonzero(held[AT_PRESENT:AT_ABSENT])]
    keep = 1.0 if rng.random() < 0.5 else 0.5
    named = [fact for fact in present if rng.random() < keep]
    named += [int(fact) for fact in np.flatnonzero(held) if fact >= AT_COLOUR and rng.random() < 0.3]
    named += [int(fact) for fact in np.flatnonzero(held) if AT_ABSENT <= fact < AT_COLOUR and rng.random() < 0.04]
    findings = [_choose(rng, PHRASES[fact]) for fact in named]
    if not present and rng.random() < 0.5:
        named += range(AT_ABSENT, AT_COLOUR)
        findings.append(_choose(rng, NOTHING))
    text = _choose(rng, OPENINGS).format(name)
    if findings:
        text += " with " + " and ".join([", ".join(findings[:-1]), findings[-1]] if len(findings) > 1 else findings)
    if rng.random() < 0.15:  # not visible in the image: the text tower learns to ignore it
        text += f" on the {_choose(rng, likelihoods.SITES)}"
        text += f" of a {int(rng.integers(4, 18)) * 5} year old {_choose(rng, likelihoods.SEXES)}"
    if not states and not named:
        return phrase(rng, AT_PATTERN + int(held[AT_PATTERN:AT_BORDER].argmax()))
    return Caption(text=text, states=(*states, *named))


def _choose(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]
