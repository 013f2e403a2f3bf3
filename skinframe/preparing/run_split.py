"""The split of a run: made, folded, subsampled or read from a file, with near-duplicates kept together."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL.Image import Image

from skinframe.atomic_write import read_checked, write_checked
from skinframe.components import Dataset
from skinframe.data.group_split import Split, make_split
from skinframe.data.groups import ImageKeys, NearPairs, components
from skinframe.data.kfold import fold_split, subset
from skinframe.data.prevalence import check_prevalence
from skinframe.data.split_file import read_split, write_split
from skinframe.errors import DataError
from skinframe.planning import Plan
from skinframe.progress import Display
from skinframe.recipe import recipe_schema
from skinframe.sample import Sample
from skinframe.untrusted_files import UnreadableError, well_formed
from skinframe.version import __version__

log = logging.getLogger("skinframe")
MOST = 50_000  # images among which copies are looked for; time grows with the square


@dataclass(frozen=True, kw_only=True)
class Divided:
    """A split, the near-duplicates (pairs of rows) that were kept together, and whether they were looked for."""

    split: Split
    near: NearPairs
    searched: bool


def divide(
    plan: Plan,
    samples: Sequence[Sample],
    keys: Sequence[str],
    image: Callable[[int], Image],
    folder: Path,
    cache: Path,
    display: Display,
    unusable: Sequence[Sample] = (),
) -> Divided:
    """Return the split that the recipe asks for and freeze it in the run folder.

    Raises DataError where a patient, lesion, image or near-duplicate would stand in two parts and `audit.accept` does
    not name that, where a part lacks a class, or where the frozen split is another one.
    """
    wanted = plan.recipe.split
    searched = wanted.near_duplicates and len(samples) <= MOST
    if wanted.near_duplicates and not searched:
        display.say(f"near-duplicates: not looked for among {len(samples):,} images; the most is {MOST:,}")
    near: NearPairs = near_rows(samples, keys, image, cache, display) if searched else ()
    recipe, dataset, seed = plan.recipe, plan.parts.dataset, plan.recipe.division_seed
    split, near = split_of(wanted, seed, recipe.audit.accept, dataset.classes, samples, keys, near, unusable)
    made = provenance(dataset, wanted, seed, searched)
    write_split(folder / "split.json", split, samples, keys, near, made)
    return Divided(split=split, near=near, searched=searched)


def split_of(
    wanted: recipe_schema.SplitOptions,
    seed: int,
    accept: Collection[str],
    classes: Sequence[str],
    samples: Sequence[Sample],
    keys: ImageKeys,
    near: NearPairs,
    unusable: Sequence[Sample] = (),
) -> tuple[Split, NearPairs]:
    """Return the configured split and the near-duplicates that it keeps together; a split file may add its own.

    Raises DataError for a leak that is not accepted and for a part without a class or with too much of one.
    """
    if wanted.file is not None:
        split, near = read_split(Path(wanted.file), samples, keys, near, accept, unusable)
    elif wanted.folds:
        if wanted.official and any(sample.split is not None for sample in samples):
            raise DataError("split: the set has an official split; folds need split.official=false")
        split = fold_split(samples, folds=wanted.folds, fold=wanted.fold, seed=seed, keys=keys, near=near)
    else:
        shares = (wanted.train, wanted.valid, wanted.test)
        official = wanted.official
        split = make_split(samples, fractions=shares, seed=seed, keys=keys, near=near, official=official, accept=accept)
    # who made the split changes nothing for a class that a part lacks; only its shares are not ours to limit
    given = wanted.file is not None or (wanted.official and any(sample.split is not None for sample in samples))
    drift = math.inf if given else wanted.max_drift
    check_prevalence(split, samples, classes, waive=wanted.waive, max_drift=drift, given=given)
    return subset(split, samples, share=wanted.subset, seed=seed, keys=keys, near=near), near


def provenance(dataset: Dataset, wanted: recipe_schema.SplitOptions, seed: int, searched: bool) -> dict[str, Any]:
    """Return how a split was made, for its file."""
    asked = {"folds": wanted.folds, "fold": wanted.fold} if wanted.folds else {}
    return {
        "dataset": dataset.name,
        "dataset_digest": dataset.digest(),
        "level": dataset.level,
        "seed": seed,
        "shares": [wanted.train, wanted.valid, wanted.test],
        "subset": wanted.subset,
        "near_duplicates": "kept together" if searched else "not looked for",
        "skinframe": __version__,
        **asked,
    }


def near_rows(
    samples: Sequence[Sample], keys: Sequence[str], image: Callable[[int], Image], cache: Path, display: Display
) -> list[tuple[int, int]]:
    """Return near-duplicates that no id links, as pairs of rows; found once, then read from the cache."""
    from skinframe.preparing.near_duplicates import METHOD, near_pairs

    known = np.zeros(len(samples), dtype=np.int64)
    for number, group in enumerate(components(samples, keys)):
        known[group] = number
    rows = [[key, int(group)] for key, group in zip(keys, known, strict=True)]
    path = cache / f"near-{hashlib.sha256(json.dumps([METHOD, rows]).encode()).hexdigest()[:32]}.json"
    pairs = _cached(path, len(samples))
    if pairs is None:
        from skinframe.preparing.image_descriptor import grey_grid

        with display.task("near-duplicates") as task:
            grids = np.zeros((len(samples), 64, 64), dtype=np.uint8)
            for row in range(len(samples)):
                grids[row] = grey_grid(image(row))
                task.update(row + 1, 2 * len(samples))
            pairs = [
                (near.first, near.second)
                for near in near_pairs(
                    grids, known=known, progress=lambda n: task.update(len(grids) + n, 2 * len(grids))
                )
            ]
        write_checked(path, pairs)
    return pairs


def _cached(path: Path, rows: int) -> list[tuple[int, int]] | None:
    """Return the pairs of an earlier search; None where there is none or the file does not match its checksum."""
    if not path.exists():
        return None
    try:
        with well_formed(path):
            pairs = [(int(first), int(second)) for first, second in read_checked(path)]
    except UnreadableError as error:
        log.warning("%s: damaged (%s); near-duplicates are looked for again", path, error.reason)
        return None
    return pairs if all(0 <= row < rows for pair in pairs for row in pair) else None
