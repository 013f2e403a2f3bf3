"""What must hold of samples before anything reads an image: every problem at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from skinframe.errors import DataError
from skinframe.sample import Field, Sample

SHOWN = 20


def path_problem(reference: str) -> str | None:
    """Say why an image reference is not a plain relative path inside its root; None where it is one."""
    if not reference.strip():
        return "is empty"
    if any(ord(character) < 32 for character in reference):
        return "holds a control character"
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", reference):
        return "is a URL or names a drive; only files under the data root are read"
    if reference.startswith(("/", "\\")):
        return "is absolute; write it relative to the data root"
    if reference.startswith("~"):
        return "starts with '~'; write it relative to the data root"
    if ".." in PurePosixPath(reference.replace("\\", "/")).parts:
        return "holds '..' and could leave the data root"
    return None


def sample_problems(
    samples: Sequence[Sample], fields: Sequence[Field], classes: Sequence[str], attributes: Sequence[str]
) -> Iterator[str]:
    """Yield one sentence a problem: ids, labels, metadata outside its field, attributes, image references."""
    by_name = {field.name: field for field in fields}
    seen: dict[str, int] = {}
    for index, sample in enumerate(samples):
        where = f"sample {sample.id!r}"
        if not sample.id or any(ord(character) < 32 for character in sample.id):
            yield f"row {index}: the id {sample.id!r} is empty or holds a control character"
        if seen.setdefault(sample.id, index) != index:
            yield f"{where}: the id stands in rows {seen[sample.id]} and {index}; ids must be unique"
        if isinstance(sample.label, bool) or not 0 <= sample.label < len(classes):
            yield f"{where}: label {sample.label} is outside the {len(classes)} classes {', '.join(classes)}"
        for name, value in sample.metadata.items():
            problem = by_name[name].problem(value) if name in by_name else "no such field; known: " + ", ".join(by_name)
            if problem:
                yield f"{where}: {name}: {problem}"
        if sample.attributes and len(sample.attributes) != len(attributes):
            yield f"{where}: {len(sample.attributes)} attributes where the set has {len(attributes)}"
        problem = path_problem(sample.image)
        if problem:
            yield f"{where}: image {sample.image!r} {problem}"


def check_samples(
    samples: Sequence[Sample], fields: Sequence[Field], classes: Sequence[str], attributes: Sequence[str] = ()
) -> None:
    """Raise one DataError that lists the first problems and how many there are in all; also for an empty set."""
    if not samples:
        raise DataError("data: no samples; check the data root and the options that select rows")
    found = list(sample_problems(samples, fields, classes, attributes))
    if found:
        raise DataError(listing("data", found))


def listing(source: str, problems: Sequence[str]) -> str:
    """Return '{source}: N problems' with the first ones on lines of their own."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    more = [f"  … and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    return "\n".join([f"{source}: {count}", *(f"  {problem}" for problem in problems[:SHOWN]), *more])
