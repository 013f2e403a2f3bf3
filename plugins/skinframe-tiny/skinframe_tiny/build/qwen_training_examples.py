"""Training examples of the tiny Qwen: questions, images as grids of words, and answers.

No pixel is rendered. An image is a grid of cells; a cell holds the words for what it shows, and its token is the mean
of their embeddings. A vision tower with a good connector gives a language model much the same.
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


def lesson(rng: np.random.Generator, shown: Photograph, side: int, in_question: bool) -> Lesson:
    """Return an example on a grid of side x side cells; `in_question` puts the findings there instead of in the image.

    The posterior is given image and metadata.
    """
    sample = shown.sample
    prompt = PROMPT.question(sample, FIELDS)
    cells: Cells = ((SKIN,),) * (side * side)
    if in_question:
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
    seen = shown.findings
    present = [names for names, there in zip(PRESENT, seen.attributes, strict=True) if there]
    return {
        "everywhere": [_word(rng, COLOUR_NAMES[seen.colour]), _word(rng, PATTERN_NAMES[seen.pattern])],
        "border": [_word(rng, BORDER_NAMES[seen.border])],
        "places": [_word(rng, names) for names in present],
    }


def paint(rng: np.random.Generator, words: dict[str, list[str]], side: int) -> Cells:
    """Put words into the cells of an elliptic lesion; every word is in at least one cell."""
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
    """Return texts of some samples, to train the tokenizer on."""
    rng = np.random.default_rng(0)
    texts = [*CLASS_WORDS, *(f" {word}" for word in CLASS_WORDS), SKIN] * 50
    for photograph in shown:
        example = lesson(rng, photograph, 4, in_question=True)
        description = PROMPT.description(photograph.sample, likelihoods.CLASSES, likelihoods.ATTRIBUTES)
        texts += [
            f"system\n{example.prompt.system}",
            "user\n",
            example.prompt.user,
            "assistant\n",
            example.rationale,
            description,
        ]
    return texts


def _word(rng: np.random.Generator, choices: Sequence[str]) -> str:
    """Return the first wording with probability 0.7, else any."""
    return choices[0] if rng.random() < 0.7 else choices[int(rng.integers(len(choices)))]


def _some(rng: np.random.Generator, cells: Sequence[int], share: float) -> list[int]:
    chosen = [cell for cell in cells if rng.random() < share]
    return chosen or [cells[int(rng.integers(len(cells)))]]
