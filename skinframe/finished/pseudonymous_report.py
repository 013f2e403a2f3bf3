"""A report whose samples, patients and lesions bear pseudonyms, for a page that leaves the house."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from skinframe.errors import DataError
from skinframe.evaluation.predictions import read_predictions
from skinframe.reporting.schema import Data, Report

Name = Callable[[str], str]
NOTE = "Samples bear pseudonyms on this page: keyed hashes, those of every table that was written under the same key."
COUNT = re.compile(r"\d{1,4}")  # an id of a few digits cannot be told from a figure in a sentence


def disguised(report: Report, run: Path, name: Name) -> Report:
    """Return the report with `name(id)` for each id: of cases, of images set aside, and within the sentences.

    An id of up to four digits stays in a sentence, where it may be a count. Raises DataError where the run's own
    files cannot be read.
    """
    known = {text: name(whole) for text, whole in _names(report, run)}
    texts = sorted((text for text in known if not COUNT.fullmatch(text)), key=len, reverse=True)
    found = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, texts))})(?!\w)") if texts else None

    def told(text: str) -> str:
        return text if found is None else found.sub(lambda match: known[match[0]], text)

    return dataclasses.replace(
        report,
        warnings=tuple(map(told, report.warnings)),
        notes=(*map(told, report.notes), NOTE),
        data=None if report.data is None else _data(report.data, name, told),
        cases=tuple(dataclasses.replace(case, id=name(case.id)) for case in report.cases),
    )


def _data(data: Data, name: Name, told: Name) -> Data:
    aside = (dataclasses.replace(one, file=name(one.file), reason=told(one.reason)) for one in data.quarantined)
    return dataclasses.replace(
        data, sentence=told(data.sentence), split_sentence=told(data.split_sentence), quarantined=tuple(aside)
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
        try:
            for part in json.loads(path.read_text(encoding="utf-8"))["parts"].values():
                yield from map(str, part)
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise DataError(f"{path}: cannot be read ({type(error).__name__})") from error
