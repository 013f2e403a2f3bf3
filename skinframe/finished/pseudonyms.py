"""Pseudonyms for what is shared: keyed hashes, so that only the holder of the key can tell whose a row is."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from skinframe.atomic_write import disk_errors
from skinframe.errors import DataError
from skinframe.evaluation.predictions import read_predictions
from skinframe.reporting.report_schema import Data, Report
from skinframe.untrusted_files import UnreadableError, read_object, read_text, well_formed

Name = Callable[[str], str]
LETTERS = 16  # 64 bits: two of a million names meet once in 40 million sets
LEAST = 32  # hex digits of a key
NOTE = "Samples on this page have pseudonyms: keyed hashes, the same as in every table written with the same key."
COUNT = re.compile(r"\d{1,4}")  # an id of a few digits cannot be distinguished from a number in a sentence


def pseudonyms(key_file: Path) -> Callable[[str], str]:
    """Return a function from a name to its pseudonym, HMAC-SHA256 under the key of a file; the file
    is created, readable by its owner only, if it does not exist. Raises DataError for a file without a key, DiskError.
    """
    if not key_file.exists():
        with disk_errors(key_file):
            key_file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32) + "\n")
                file.flush()
                os.fsync(file.fileno())
    try:
        key = bytes.fromhex(read_text(key_file, 4096).strip())
    except (UnreadableError, ValueError):
        key = b""
    if len(key) < LEAST // 2:
        raise DataError(f"{key_file}: holds no key; name a new file, and keep the key that is written to it")
    return lambda name: hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:LETTERS]


def with_pseudonyms(report: Report, run: Path, name: Name) -> Report:
    """Return the report with `name(id)` for each id: of cases, of images set aside, and within the sentences.

    An id of up to four digits stays in a sentence, where it may be a count. Raises DataError where the run's own
    files cannot be read.
    """
    known = {text: name(whole) for text, whole in _names(report, run)}
    texts = sorted((text for text in known if not COUNT.fullmatch(text)), key=len, reverse=True)
    found = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, texts))})(?!\w)") if texts else None

    def replaced(text: str) -> str:
        return text if found is None else found.sub(lambda match: known[match[0]], text)

    return dataclasses.replace(
        report,
        warnings=tuple(map(replaced, report.warnings)),
        notes=(*map(replaced, report.notes), NOTE),
        data=None if report.data is None else _data(report.data, name, replaced),
        cases=tuple(dataclasses.replace(case, id=name(case.id)) for case in report.cases),
    )


def _data(data: Data, name: Name, replaced: Name) -> Data:
    aside = (dataclasses.replace(one, file=name(one.file), reason=replaced(one.reason)) for one in data.quarantined)
    return dataclasses.replace(
        data, sentence=replaced(data.sentence), split_sentence=replaced(data.split_sentence), quarantined=tuple(aside)
    )


def _names(report: Report, run: Path) -> Iterator[tuple[str, str]]:
    """Yield each name as a sentence may say it, and the whole name that the tables have in its place."""
    whole = {case.id for case in report.cases}
    whole |= {one.file for one in report.data.quarantined} if report.data is not None else set()
    whole |= set(_split(run))
    for path in (*run.glob("predictions.parquet"), *run.glob("predictions/*.parquet")):
        found, _ = read_predictions(path)
        whole |= {*found.ids, *found.groups, *(found.lesions or ())}
    for one in sorted(whole - {""}):
        kind, _, rest = one.partition(":")
        if rest and kind in ("patient", "lesion", "image"):
            yield rest, one
    yield from ((one, one) for one in sorted(whole - {""}))


def _split(run: Path) -> Iterator[str]:
    path = run / "split.json"
    if path.is_file():
        with well_formed(path):
            names = [str(name) for part in read_object(path)["parts"].values() for name in part]
        yield from names
