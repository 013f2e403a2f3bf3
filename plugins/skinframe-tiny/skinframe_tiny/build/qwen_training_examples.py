"""What the tiny Qwen learns from: a world's samples as questions, soft images of words, and answers.

No pixel is rendered. An image is a grid of cells; a cell holds the words for what it shows, and its token is the mean
of their embeddings. That is what a vision tower with a good connector gives a language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from skinframe_derm import ClinicalTemplate

from skinframe import PromptText
from skinframe_tiny import likelihoods
from skinframe_tiny.build.captions import BORDER_NAMES, COLOUR_NAMES, PATTERN_NAMES, PRESENT
from skinframe_tiny.patients import Photograph
from skinframe_tiny.synthetic_dermoscopy import SyntheticDermoscopy

PROMPT = ClinicalTemplate(ClinicalTemplate.Config(paraphrases=4))
FIELDS = SyntheticDermoscopy().fields
CLASS_WORDS = tuple(text.removeprefix("a dermoscopic image of ").partition(" with ")[0]
                    for text in PROMPT.class_descriptions(likelihoods.CLASSES))  # fmt: skip
SKIN = "skin"
Cells = tuple[tuple[str, ...], ...]  # for each cell, row by row, the phrases that it shows


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One sample: question, what the cells of its image show, the rationale, and the true posterior [C]."""

    prompt: PromptText
    cells: Cells
    rationale: str
    posterior: NDArray[np.float64]
    label: int


def lesson(rng: np.random.Generator, shown: Photograph, side: int, told: bool) -> Lesson:
    """Return a lesson on a grid of side x side cells; `told` puts the findings into the question and none in the image.

    The posterior is that of everything the lesson says: image and metadata alike.
    """
    sample = shown.sample
    prompt = PROMPT.question(sample, FIELDS)
    cells: Cells = ((SKIN,),) * (side * side)
    if told:
        seen = ", ".join(finding for names in findings(rng, shown).values() for finding in names)
        prompt = replace(prompt, user=f"The image shows {seen}. {prompt.user}")
    else:
        cells = paint(rng, findings(rng, shown), side)
    return Lesson(
        prompt=prompt,
        cells=cells,
        rationale=PROMPT.rationale(sample, likelihoods.CLASSES, likelihoods.ATTRIBUTES),
        posterior=likelihoods.posterior(shown.findings, sample.metadata),
        label=sample.label,
    )


def findings(rng: np.random.Generator, shown: Photograph) -> dict[str, list[str]]:
    """Return the words for everything that an image shows: over the whole lesion, at its border, in places."""
    found = shown.findings
    present = [names for names, there in zip(PRESENT, found.attributes, strict=True) if there]
    return {
        "everywhere": [_word(rng, COLOUR_NAMES[found.colour]), _word(rng, PATTERN_NAMES[found.pattern])],
        "border": [_word(rng, BORDER_NAMES[found.border])],
        "places": [_word(rng, names) for names in present],
    }


def paint(rng: np.random.Generator, words: dict[str, list[str]], side: int) -> Cells:
    """Put words into the cells of an elliptic lesion; every word stands in one cell at least."""
    rows, columns = (np.indices((side, side)) + 0.5) / side
    middle, radii = rng.uniform(0.42, 0.58, 2), rng.uniform(0.25, 0.46, 2)
    depth = ((rows - middle[0]) / radii[0]) ** 2 + ((columns - middle[1]) / radii[1]) ** 2
    order = np.argsort(depth.ravel())
    inside = [int(cell) for cell in order[: max(3, int((depth <= 1).sum()))]]
    cells: list[list[str]] = [[] for _ in range(side * side)]
    for word in words["everywhere"]:
        for cell in _some(rng, inside, 0.7):
            cells[cell].append(word)
    for word in words["border"]:
        for cell in _some(rng, inside[len(inside) // 2 :], 0.7):
            cells[cell].append(word)
    for word in words["places"]:
        for cell in _some(rng, inside, rng.uniform(0.1, 0.5)):
            cells[cell].append(word)
    return tuple(tuple(cell) or (SKIN,) for cell in cells)


def corpus_texts(shown: Sequence[Photograph]) -> list[str]:
    """Return all wordings of some samples, for the tokenizer."""
    rng = np.random.default_rng(0)
    texts = [*CLASS_WORDS, *(f" {word}" for word in CLASS_WORDS), SKIN] * 50
    for one in shown:
        told = lesson(rng, one, 4, told=True)
        description = PROMPT.description(one.sample, likelihoods.CLASSES, likelihoods.ATTRIBUTES)
        texts += [
            f"system\n{told.prompt.system}",
            "user\n",
            told.prompt.user,
            "assistant\n",
            told.rationale,
            description,
        ]
    return texts


def _word(rng: np.random.Generator, choices: Sequence[str]) -> str:
    """Return the plain name most of the time, another wording now and then."""
    return choices[0] if rng.random() < 0.7 else choices[int(rng.integers(len(choices)))]


def _some(rng: np.random.Generator, cells: Sequence[int], share: float) -> list[int]:
    chosen = [cell for cell in cells if rng.random() < share]
    return chosen or [cells[int(rng.integers(len(cells)))]]
