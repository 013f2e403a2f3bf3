"""Which diagnosis a written rationale names, and how often that is the model's own answer; needs no annotation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence


def named_diagnoses(text: str, words: Mapping[str, str]) -> tuple[str, ...]:
    """Return the diagnoses that a text names, in order, by the names that `words` gives to what is written.

    Whole words only, and the longest: 'benign keratosis' is not also a keratosis. Letter case does not count, except
    that an abbreviation of up to four letters, of a class that has a longer name too, must be written in capitals:
    'inf' or 'as' in a sentence is none.
    """
    written = sorted(words, key=len, reverse=True)
    longest = {name: max(len(text) for text in written if words[text] == name) for name in words.values()}
    if not written:
        return ()
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, written))})(?:s|es)?(?![\w-])", re.IGNORECASE)
    named = []
    for match in pattern.finditer(text):
        found = match[0].lower()
        key = next((one for one in (found, found.removesuffix("s"), found.removesuffix("es")) if one in words), None)
        if key is None:
            continue
        abbreviated = len(key) <= 4 < longest[words[key]]
        if match[0].isupper() or not abbreviated:
            named.append(words[key])
    return tuple(dict.fromkeys(named))


def agreeing(named: Sequence[tuple[str, ...]], answers: Sequence[str]) -> list[bool]:
    """Return for each rationale whether it names the answer and no other diagnosis."""
    return [names == (answer,) for names, answer in zip(named, answers, strict=True)]
