"""The file of paraphrases: content-addressed, written once by `write_paraphrases.py`, read by every run."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from skinframe import DataError
from skinframe.untrusted_files import UnreadableError, read_json_lines

FORMAT = "skinframe-paraphrases-1"
LONGEST = 600  # characters of a paraphrase; the texts it stands for have under 200
MOST_BYTES = 256 * 2**20


@dataclass(frozen=True, kw_only=True)
class Made:
    """What made the paraphrases: everything that could change a byte of them."""

    model: str  # SHA-256 over the model folder's files
    engine: str  # library versions and the device
    instruction: str
    max_new_tokens: int

    def key(self, text: str) -> str:
        """Return the address of a text's paraphrase."""
        return hashlib.sha256(json.dumps([FORMAT, asdict(self), text], sort_keys=True).encode()).hexdigest()


def rejected(text: str, paraphrase: str, slots: Sequence[str], forbidden: re.Pattern[str]) -> str | None:
    """Say why a paraphrase may not stand for a text: a slot's words are gone, a diagnosis was added; else None."""
    if not paraphrase.strip() or not paraphrase.isprintable() or len(paraphrase) > LONGEST:
        return f"is not one line of 1 to {LONGEST} characters"
    if "<|" in paraphrase:
        return "holds a control token"
    gone = [slot for slot in slots if slot.lower() not in paraphrase.lower()]
    if gone:
        return f"lost {', '.join(gone)}"
    known = {word.lower() for word in forbidden.findall(text)}
    added = {word.lower() for word in forbidden.findall(paraphrase)} - known
    return f"added {', '.join(sorted(added))}" if added else None


def write(path: Path, made: Made, entries: Mapping[str, str]) -> None:
    """Write the paraphrase of every text, sorted, so that the same entries are the same bytes."""
    lines = [json.dumps({"format": FORMAT, **asdict(made)}, sort_keys=True)]
    for text, paraphrase in sorted(entries.items()):
        lines.append(json.dumps({"key": made.key(text), "text": text, "paraphrase": paraphrase}, sort_keys=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    temporary.replace(path)


def read(path: Path) -> tuple[Made, dict[str, str]]:
    """Return what made the paraphrases, and them by text. Raises DataError for a line that is not what its key says."""
    try:
        lines = read_json_lines(path, MOST_BYTES, any_text=True)
        head = lines[0]
        if head.pop("format") != FORMAT:
            raise ValueError("another format")
        made, entries = Made(**head), {}
        for number, entry in enumerate(lines[1:], 2):
            if entry["key"] != made.key(entry["text"]) or not isinstance(entry["paraphrase"], str):
                raise DataError(f"{path} line {number}: its key is not that of its text; make the file again")
            entries[entry["text"]] = entry["paraphrase"]
    except UnreadableError as error:
        raise DataError(f"{error}; not a file of paraphrases of the format {FORMAT}") from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise DataError(f"{path}: not a file of paraphrases of the format {FORMAT}") from None
    return made, entries
