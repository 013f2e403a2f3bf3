"""Split files: a split as hashed JSON, checked against the samples whenever it is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from skinframe.atomic_write import write_json
from skinframe.data.group_split import PARTS, UNUSED, Split, check_split, from_parts
from skinframe.data.groups import ImageKeys, NearPairs
from skinframe.errors import DataError
from skinframe.sample import Sample
from skinframe.untrusted_files import UnreadableError, read_object

FORMAT = "skinframe-split-1"
MAX_FILE_BYTES = 256 * 2**20  # a 400,000-row split takes about 8 MB


def samples_digest(samples: Sequence[Sample]) -> str:
    """Return a digest of what a split depends on: ids, labels and groups, in any order."""
    rows = sorted(json.dumps([s.id, s.label, s.patient, s.lesion]) for s in samples)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def images_digest(samples: Sequence[Sample], keys: ImageKeys) -> str | None:
    """Return a digest of the image content of each id; None if the contents are not known."""
    if keys is None:
        return None
    rows = sorted(json.dumps([sample.id, key]) for sample, key in zip(samples, keys, strict=True))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def write_split(
    path: Path,
    split: Split,
    samples: Sequence[Sample],
    keys: ImageKeys = None,
    near: NearPairs = (),
    made: Mapping[str, Any] | None = None,
) -> None:
    """Write the split once, with the near-duplicates that were kept together and how it was `made`.

    Raises DataError if `path` holds another split, or one of other image contents.
    """
    images = images_digest(samples, keys)
    if path.exists():
        before = _read(path)
        if before["digest"] != split.digest:
            raise DataError(f"{path}: already holds another split; use that one or choose another path")
        if images is not None and before.get("images") not in (None, images):
            raise DataError(
                f"{path}: the images have changed since this split was written; restore them or create a new split"
            )
        return
    content = {
        "format": FORMAT,
        "digest": split.digest,
        "samples": samples_digest(samples),
        "images": images,
        "parts": {name: sorted(samples[index].id for index in split.part(name)) for name in PARTS},
        UNUSED: sorted(samples[index].id for index in split.unused),
        "near": sorted(sorted((samples[first].id, samples[second].id)) for first, second in near),
        "accepted": list(split.accepted),
        "made": dict(made or {}),
    }
    write_json(path, content)


def read_split(
    path: Path,
    samples: Sequence[Sample],
    keys: ImageKeys = None,
    near: NearPairs = (),
    accept: Collection[str] = (),
    unusable: Sequence[Sample] = (),
) -> tuple[Split, list[tuple[int, int]]]:
    """Return the split of these samples, and the near-duplicates given and those in the file as pairs of rows.

    The file may also place samples that are `unusable` here, whose images cannot be read. Raises DataError if file,
    digest, sample set or groups do not match, and for leaks (also by the file's own near-duplicates) that `accept` does
    not name.
    """
    content = _read(path)
    parts = {sample_id: name for name in PARTS for sample_id in content["parts"][name]}
    parts |= dict.fromkeys(content.get(UNUSED, ()), UNUSED)
    unplaced = [sample.id for sample in samples if sample.id not in parts]
    there = [sample for sample in unusable if sample.id in parts]
    foreign = parts.keys() - {sample.id for sample in (*samples, *there)}
    if unplaced or foreign:
        example = (unplaced or sorted(foreign))[0]
        raise DataError(
            f"{path}: made for other samples: {len(unplaced)} samples are not in it and {len(foreign)} of its ids "
            f"are not in the data, for example {example}; create a new split or restore the data"
        )
    split = from_parts(samples, [parts[sample.id] for sample in samples])
    whole = [*samples, *there]
    if from_parts(whole, [parts[sample.id] for sample in whole]).digest != content["digest"]:
        raise DataError(f"{path}: does not match its digest, so it was edited; restore it or create a new split")
    row_of = {sample.id: index for index, sample in enumerate(samples)}
    pairs = [pair for pair in content.get("near", ()) if all(name in row_of for name in pair)]
    written = [(row_of[first], row_of[second]) for first, second in pairs]
    known = sorted({*map(_ordered, near), *map(_ordered, written)})
    split = check_split(split, samples, keys, known, accept)
    if samples_digest(whole) != content["samples"]:
        raise DataError(f"{path}: labels or groups have changed since this split was written; create a new split")
    return split, known


def _ordered(pair: tuple[int, int]) -> tuple[int, int]:
    return min(pair), max(pair)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_object(path, MAX_FILE_BYTES)
    except UnreadableError as error:
        raise DataError(f"{error.where}: not a readable split file: {error.reason}") from error
    if not _well_formed(content):
        raise DataError(f"{path}: not a split file of format {FORMAT}")
    return dict(content)


def _well_formed(content: Any) -> bool:
    if not isinstance(content, dict) or content.get("format") != FORMAT or not isinstance(content.get("parts"), dict):
        return False
    lists = [content["parts"].get(name) for name in PARTS] + [content.get(UNUSED, [])]
    if not all(isinstance(ids, list) and all(isinstance(name, str) for name in ids) for ids in lists):
        return False
    known, near = {name for ids in lists for name in ids}, content.get("near", [])
    if not isinstance(near, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in near):
        return False
    strings = isinstance(content.get("digest"), str) and isinstance(content.get("samples"), str)
    return strings and all(isinstance(name, str) and name in known for pair in near for name in pair)
