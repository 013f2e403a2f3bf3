"""A finished run as CSV tables: metrics, predictions, rationales."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from skinframe.atomic_write import disk_errors, write_atomic
from skinframe.data.safe_csv import Cell, csv_text
from skinframe.evaluation.predictions import BLOCKS, Predictions, read_predictions
from skinframe.finished.pseudonyms import pseudonyms
from skinframe.reporting.report_files import read_report
from skinframe.reporting.report_schema import Report
from skinframe.untrusted_files import read_json_lines, well_formed

Name = Callable[[str], str]
PARTS = ("valid", "test")


def export_csv(run: Path, out: Path, key_file: Path | None = None) -> list[Path]:
    """Write metrics.csv and the prediction and rationale tables of a finished run into `out`; return the files.

    No text can be read as a formula (`skinframe.data.safe_csv`). With `key_file` every id, patient and lesion is a
    pseudonym under that key. Raises DataError if the run is not finished, DiskError.
    """
    name: Name = pseudonyms(key_file) if key_file is not None else str
    tables: dict[str, tuple[Sequence[str], Iterator[Sequence[Cell]]]] = {"metrics": _metrics(read_report(run))}
    for part in PARTS:
        found, classes = read_predictions(run / "predictions" / f"{part}.parquet")
        tables[f"predictions-{part}"] = _predictions(found, classes, name)
    if (run / "rationales.jsonl").is_file():
        tables["rationales"] = _rationales(run / "rationales.jsonl", name)
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    files = []
    for title, (head, rows) in tables.items():
        files.append(out / f"{title}.csv")
        write_atomic(files[-1], csv_text(head, rows).encode("utf-8", "replace"))
    return files


def _metrics(report: Report) -> tuple[Sequence[str], Iterator[Sequence[Cell]]]:
    head = ("model", "metric", "value", "low", "high", "level", "floor", "p_of_floor")
    lines = (
        (row.name, metric, one.value, one.low, one.high, report.level)
        + ((None, None) if one.floor is None else (one.floor.mean, one.floor.p_value))
        for row in report.rows
        for metric, one in row.metrics.items()
    )
    return head, lines


def _predictions(
    found: Predictions, classes: Sequence[str], name: Name
) -> tuple[Sequence[str], Iterator[Sequence[Cell]]]:
    blocks = (found.logits, found.probabilities, found.calibrated)
    head = ("id", "group", "lesion", "label", *(f"{block}:{one}" for block in BLOCKS for one in classes))
    lesions = found.lesions or ("",) * len(found.ids)
    lines = (
        (
            name(found.ids[row]),
            name(found.groups[row]),
            name(lesions[row]) if lesions[row] else None,
            None if found.labels[row] < 0 else classes[found.labels[row]],
            *(float(value) for block in blocks for value in block[row]),
        )
        for row in range(len(found.ids))
    )
    return head, lines


def _rationales(path: Path, name: Name) -> tuple[Sequence[str], Iterator[Sequence[Cell]]]:
    with well_formed(path):
        entries = read_json_lines(path)
        rows = [(name(str(one["id"])), str(one["prediction"]), str(one["rationale"])) for one in entries]
    return ("id", "prediction", "rationale"), iter(rows)
