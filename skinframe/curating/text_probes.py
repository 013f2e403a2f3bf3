"""Whether the question texts predict the label better than the fields that they are made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from skinframe.curating.audit_result import Finding, Probe
from skinframe.curating.label_predictability import FEWEST, Floats, auroc, bag, best_class, cross_fitted, field_table
from skinframe.curating.leak_probes import Probed
from skinframe.errors import DataError
from skinframe.sample import Sample

MOST = 6000  # samples; more say nothing new and take their time
MARGIN = 0.02  # of macro AUROC
RESAMPLES = 200


def text_findings(
    samples: Sequence[Sample], question: Callable[[Sample], str], known: Probed, forbidden: Sequence[str]
) -> tuple[list[Probe], list[Finding]]:
    """Return the text-only probe, and what it, the lexicon and the prompt's own refusals found.

    A bag-of-words logistic model is set against one on the binned fields, both judged on other groups; the leak is a
    macro AUROC that is better by more than 0.02, with the whole 95 % interval of the difference.
    """
    texts: list[str] = []
    for sample in samples:
        try:
            texts.append(question(sample))
        except DataError as error:  # the prompt refuses a word that would tell the answer
            return [], [Finding(name="lexicon", level="leak", sentence=f"the prompt refuses its own data: {error}")]
    findings = lexicon(texts, [sample.id for sample in samples], forbidden)
    rows = np.random.default_rng(0).permutation(len(samples))[:MOST]
    words = [texts[row] for row in rows]
    labels, folds = known.labels[rows], known.folds[rows]
    if len(set(words)) < 2 or len(set(labels.tolist())) < 2:
        return [Probe(name="text", auroc=None, limit=None, note="every question is the same")], findings
    fields = field_table([samples[row] for row in rows])
    from_words, given = (cross_fitted(table, labels, folds, len(known.classes)) for table in (bag(words), fields))
    value, label = best_class(from_words, labels, known.classes)
    low, difference = _difference(from_words, given, labels, known.groups[rows])
    probe = Probe(
        name="text",
        auroc=value,
        label=label,
        limit=None,  # the words of the allowed fields tell what the fields tell
        note=f"macro AUROC {difference:+.3f} against the fields alone",
    )
    if low > MARGIN:
        sentence = f"the words of the questions tell the label better than the allowed fields: {probe.note}"
        findings.append(Finding(name="text", level="leak", sentence=sentence))
    return [probe], findings


def lexicon(texts: Sequence[str], names: Sequence[str], forbidden: Sequence[str]) -> list[Finding]:
    """Return one leak that lists every forbidden word (whole words, any case) in the texts."""
    if not forbidden:
        return []
    either = "|".join(re.escape(word) for word in sorted(forbidden, key=len, reverse=True))
    pattern = re.compile(rf"(?<![a-z0-9])(?:{either})(?![a-z0-9])", re.IGNORECASE)
    hits: dict[str, list[str]] = {}
    for text, name in zip(texts, names, strict=True):
        for word in set(pattern.findall(text)):
            hits.setdefault(word.lower(), []).append(name)
    if not hits:
        return []
    words_found = ", ".join(f"'{word}' in {len(where):,}" for word, where in sorted(hits.items()))
    sentence = f"questions tell the answer: {words_found}"
    examples = tuple(f"{word}: {where[0]}" for word, where in sorted(hits.items())[:10])
    return [Finding(name="lexicon", level="leak", sentence=sentence, examples=examples)]


def _difference(
    from_words: Floats, given: Floats, labels: NDArray[np.int64], groups: NDArray[np.int64]
) -> tuple[float, float]:
    """Return the lower end of the 95 % interval of macro AUROC told - given over whole groups, and the difference."""
    random = np.random.default_rng(0)
    members = np.split(np.argsort(groups, kind="stable"), np.cumsum(np.unique(groups, return_counts=True)[1])[:-1])
    drawn = (random.integers(len(members), size=len(members)) for _ in range(RESAMPLES))
    draws = [np.concatenate([members[group] for group in draw]) for draw in drawn]
    differences = [_macro(from_words[draw], labels[draw]) - _macro(given[draw], labels[draw]) for draw in draws]
    known = [value for value in differences if not np.isnan(value)]
    low = float(np.quantile(known, 0.025)) if known else float("nan")
    return low, _macro(from_words, labels) - _macro(given, labels)


def _macro(scores: Floats, labels: NDArray[np.int64]) -> float:
    shown = [c for c in range(scores.shape[1]) if FEWEST // 2 <= (labels == c).sum() < len(labels)]
    return float(np.mean([auroc(labels == c, scores[:, c]) for c in shown])) if shown else float("nan")
