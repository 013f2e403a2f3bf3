"""Which column of a stranger's table is which: by the names that published tables use, for what was not named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from skinframe.errors import did_you_mean
from skinframe.evaluation.prediction_file import PredictionFile

# names of published tables, most specific first; compared in lower case without '-', '_' and blanks
IDS = ("id", "image_id", "isic_id", "img_id", "sample_id", "image", "image_name", "filename", "file", "path", "sample")
PATIENTS = ("group", "patient", "patient_id", "subject", "subject_id", "participant_id", "case_id", "pid")
LABELS = (
    *("label", "true_label", "diagnosis", "dx", "ground_truth", "truth", "true", "target", "class", "true_class"),
    *("y_true", "y", "labels", "gt"),
)
SCORES = ("score", "probability", "prob", "y_score", "y_prob", "pred_prob", "prediction", "p", "y_pred_proba")
LOGITS = ("logit", "logits", "score")
PROBABILITY_PREFIXES = ("calibrated:", "probability:", "probability_class_", "probability_", "prob_", "proba_", "p_")
LOGIT_PREFIXES = ("logit:", "logit_class_", "logit_", "logits_")
POSITIVE = frozenset({"1", "true", "yes", "malignant", "positive", "melanoma", "mel", "cancer"})


@dataclass(frozen=True, kw_only=True)
class TableColumns:
    """Which column is which. `classes` maps a class to its column; empty guesses them, from 'probability:nevus' on.

    A name at its default is guessed where no column has it. One class alone is a score of yes or no; its complement is
    called `rest`. `group` is the patient, "" where every row is another one. `lesion` names what has one diagnosis,
    however often it was photographed, "" where unknown; a row without one stands for itself. `numbers` and `words` are
    columns to keep: weights of rows, fields to compare by.
    """

    id: str = "id"
    group: str = "group"
    label: str = "label"
    lesion: str = ""
    classes: Mapping[str, str] = field(default_factory=dict)
    rest: str = "rest"
    logits: bool = False
    numbers: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    patients: Literal["required", "if there"] = "required"  # whether a table without a patient column is refused


def guess_columns(file: PredictionFile, asked: TableColumns) -> tuple[TableColumns, list[str], list[str]]:
    """Return the columns with guesses for those left at their default, what was guessed, and every problem.

    A patient column is guessed, but that there is none must be said: it changes every interval.
    """
    guesses: list[str] = []
    problems: list[str] = []
    chosen: dict[str, str] = {}
    roles = (("id", IDS, "--id"), ("group", PATIENTS, "--group"), ("label", LABELS, "--label"))
    for role, names, option in roles:
        given = getattr(asked, role)
        if not given or given in file.names:
            continue
        column = _first(file.names, names) if given == names[0] else None
        if column is None and role == "group" and asked.patients == "if there":
            chosen[role] = ""
            guesses.append("--group none")
        elif column is None:
            problems.append(_absent(given, file.names, option, role == "group"))
        else:
            chosen[role] = column
            guesses.append(f"{option} {column}")
    further = [(asked.lesion, "--lesion"), *((name, "--number") for name in asked.numbers)]
    further += [(name, "") for name in asked.words] + [(name, "--class") for name in asked.classes.values()]
    problems += [
        _absent(name, file.names, option, False) for name, option in further if name and name not in file.names
    ]
    columns = replace(asked, **chosen)  # type: ignore[arg-type]
    if not asked.classes:
        labels = file.cells(columns.label) if columns.label in file.names else []
        known = sorted({label for label in labels if label is not None})
        taken = {columns.id, columns.group, columns.label, columns.lesion, *columns.numbers, *columns.words}
        classes, rest, problem = _classes(file.names, known, asked, taken)
        columns = replace(columns, classes=classes, rest=rest)
        problems += [problem] if problem else []
        own = all(column.endswith(f":{name}") for name, column in classes.items())
        guesses += [] if own else [f"--class {name}={column}" for name, column in classes.items()]
        guesses += [f"--rest {rest}"] if rest != asked.rest else []
    return columns, guesses, problems


def _absent(name: str, names: Sequence[str], option: str, patient: bool) -> str:
    hint = f"; name it with {option} COLUMN" if option in ("--id", "--group", "--label", "--lesion") else ""
    if patient:
        hint += ", or say --group none where each row is another patient"
    return f"has no column '{name}'{did_you_mean(name, names)}{hint}"


def _plain(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()


def _first(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    by_plain = {_plain(name): name for name in reversed(names)}
    return next((by_plain[_plain(word)] for word in wanted if _plain(word) in by_plain), None)


def _classes(
    names: Sequence[str], labels: Sequence[str], asked: TableColumns, taken: set[str]
) -> tuple[Mapping[str, str], str, str]:
    """Return the classes with their columns, the name of the rest, and what is wrong."""
    open_names = [name for name in names if name not in taken]
    for prefix in LOGIT_PREFIXES if asked.logits else PROBABILITY_PREFIXES:
        columns = {name[len(prefix) :]: name for name in open_names if name.lower().startswith(prefix)}
        if not columns or (len(columns) == 1 and len(labels) > 2):
            continue
        if labels and not set(labels) <= set(columns) and not prefix.endswith(":"):
            lower = {label.lower(): label for label in labels}
            renamed = {lower.get(name.lower(), name): column for name, column in columns.items()}
            if set(labels) <= set(renamed):
                return renamed, asked.rest, ""
            if len(columns) == 1 and len(labels) == 2:
                return _one_score(next(iter(columns.values())), labels, asked.rest)
            pairs = " ".join(f"--class NAME={column}" for column in columns.values())
            what = f"the labels ({', '.join(labels[:8])}) are not what the columns are named after; say {pairs}"
            return columns, asked.rest, what
        return columns, asked.rest, ""
    columns = {name.lower(): name for name in open_names}
    if len(labels) > 1 and all(label.lower() in columns for label in labels):
        return {label: columns[label.lower()] for label in labels}, asked.rest, ""
    score = _first(open_names, LOGITS if asked.logits else SCORES)
    if score is not None and len(labels) == 2:
        return _one_score(score, labels, asked.rest)
    what = "no column holds a class's probabilities; name each as --class NAME=COLUMN"
    return {}, asked.rest, f"{what} (the columns are {', '.join(names)})"


def _one_score(column: str, labels: Sequence[str], rest: str) -> tuple[Mapping[str, str], str, str]:
    """Return the yes/no question of a single score: which of two labels is the yes must be plain."""
    yes = [label for label in labels if label.lower() in POSITIVE]
    if len(yes) != 1:
        what = f"which of the labels {' and '.join(labels)} does '{column}' score? say --class NAME={column}"
        return {}, rest, what
    return {yes[0]: column}, next(label for label in labels if label != yes[0]), ""
