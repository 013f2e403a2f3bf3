"""Compares two data sets: shared ids and images, and how well a classifier tells them apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skinframe.curating.audit_result import Apart, Finding
from skinframe.curating.audited_dataset import AuditedDataset
from skinframe.curating.distance_tiers import placed
from skinframe.curating.distribution_shift import Floats, shift
from skinframe.curating.label_predictability import FEWEST, FOLDS, auroc, cross_fitted, field_table
from skinframe.curating.leak_probes import WATCH
from skinframe.sample import Sample

SUFFIX = re.compile(r"(?<=\d)[_-][A-Za-z]+$")  # 'ISIC_0000001_downsampled' is image ISIC_0000001
EXAMPLES = 10


def shared_ids(samples: Sequence[Sample], others: Sequence[Sample], other_set: str) -> list[Finding]:
    """Return one leak for each kind of id that both sets hold: image ids, ids but for a suffix, lesions, patients."""
    here, there = {sample.id for sample in samples}, {sample.id for sample in others}
    bare = {SUFFIX.sub("", name) for name in here} & {SUFFIX.sub("", name) for name in there}
    findings = [
        _shared(here & there, "id", "images have the same id in both", other_set),
        _shared(bare - (here & there), "id-but-suffix", "more have the same id but for a suffix of letters", other_set),
    ]
    for kind, sentence in (("lesion", "lesions have images in both"), ("patient", "patients have images in both")):
        both = {getattr(sample, kind) for sample in samples} & {getattr(sample, kind) for sample in others}
        findings.append(_shared(both - {None}, kind, sentence, other_set))
    return [finding for finding in findings if finding is not None]


def shared_images(
    samples: Sequence[Sample],
    keys: Sequence[str | None],
    others: Sequence[Sample],
    other_keys: Sequence[str | None],
    other_set: str,
) -> list[Finding]:
    """Return a leak where decoded pixels are the same in both sets, whatever the ids say."""
    place = {key: sample.id for sample, key in zip(samples, keys, strict=True) if key is not None}
    same = {
        f"{place[key]} and {sample.id}" for sample, key in zip(others, other_keys, strict=True) if key in place and key
    }
    finding = _shared(same, "image", "images have the same pixels in both", other_set)
    return [finding] if finding is not None else []


def _shared(names: set[str], kind: str, sentence: str, other_set: str) -> Finding | None:
    if not names:
        return None
    return Finding(
        name=f"across:{other_set}:{kind}",
        level="leak",
        sentence=f"{len(names):,} {sentence} sets (this one and {other_set})",
        examples=tuple(sorted(names)[:EXAMPLES]),
    )


MOST = 600  # images of each side that are compared
CELLS = 8  # grey cells of an image, each way
Rows = NDArray[np.int64]


def across_sets(subject: AuditedDataset, other: AuditedDataset) -> list[Apart]:
    """Compare each tier of another set with this one."""
    return [
        item
        for tier, rows in placed(other.facts, subject.facts).items()
        for item in compared(subject, np.arange(len(subject.samples)), other, np.array(rows), other.name, tier)
    ]


def across_sources(subject: AuditedDataset) -> list[Apart]:
    """Compare each source that the set names with the rest of the set."""
    sources = np.array([facts.get("source", "") for facts in subject.facts])
    compared_sources = []
    for name in sorted(set(sources.tolist()) - {""}):
        here = np.flatnonzero(sources == name)
        compared_sources += compared(subject, np.flatnonzero(sources != name), subject, here, f"source {name}", "")
    return compared_sources


def compared(
    subject: AuditedDataset, rows: Rows, other: AuditedDataset, others: Rows, name: str, tier: str
) -> list[Apart]:
    """Return one line for each view that both sides have; none where a side has fewer than 20 images."""
    if min(len(rows), len(others)) < FEWEST:
        return []
    rows, others = _some(rows), _some(others)
    mine = np.repeat([True, False], [len(rows), len(others)])
    apart = 0 if other is subject else len(subject.samples)  # two sets number their groups from nought
    groups = np.concatenate([subject.known()[rows], other.known()[others] + apart])
    lines = []
    for view, points in views(subject, rows, other, others).items():
        scores = cross_fitted(_unit(points), mine.astype(np.int64), _folds(groups), 2)
        far, value = shift(points, mine, groups), auroc(mine, scores[:, 1])
        lines.append(Apart(other_set=name, tier=tier, view=view, images=len(others), auroc=value, **vars(far)))
    return lines


def views(subject: AuditedDataset, rows: Rows, other: AuditedDataset, others: Rows) -> dict[str, Floats]:
    """Return what can be compared, a table [N, D] each: fields that both have, what is empty, images, features."""
    samples = [*(subject.samples[row] for row in rows), *(other.samples[row] for row in others)]
    names = {field.name for field in subject.dataset.fields} & {field.name for field in other.dataset.fields}
    tables: dict[str, Floats] = {}
    if names:
        tables["fields"] = field_table(samples, sorted(names)).toarray()
        empty = [[sample.metadata.get(name) is None for name in sorted(names)] for sample in samples]
        tables["missing"] = np.array(empty, dtype=np.float64)
    if subject.scan is not None and other.scan is not None:
        sizes = [[*map(np.log, map(abs, row))] for row in (*_sizes(subject, rows), *_sizes(other, others))]
        tables["file size"] = np.array(sizes)
        tables["grey image"] = np.concatenate([_cells(subject, rows), _cells(other, others)])
    both = subject.features, other.features
    if both[0] is not None and both[1] is not None and both[0].shape[1] == both[1].shape[1]:
        tables["features"] = np.concatenate([both[0][rows], both[1][others]]).astype(np.float64)
    return tables


def judged(rows: Sequence[Apart]) -> list[Finding]:
    """Return what is to be known of each side that some view tells with an AUROC above 0.7."""
    by_set: dict[str, list[Apart]] = {}
    for row in rows:
        if row.auroc is not None and row.auroc > WATCH:
            by_set.setdefault(row.other_set, []).append(row)
    findings = []
    for name, ways in by_set.items():
        best = {row.view: row for row in sorted(ways, key=lambda row: row.auroc or 0)}
        aurocs = ", ".join(f"{view} {row.auroc:.3f}" for view, row in best.items())
        own = name.startswith("source ")
        findings.append(
            Finding(
                name=f"identity:{name.removeprefix('source ')}" if own else f"across:{name}:identity",
                level="watch",
                sentence=f"a probe tells {name} from {'the rest' if own else 'this set'} (AUROC: {aurocs}); pooled,"
                " that is a shortcut where their classes are mixed otherwise",
            )
        )
    return findings


def _some(rows: Rows) -> Rows:
    return np.sort(np.random.default_rng(0).permutation(rows)[:MOST])


def _folds(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    names, member = np.unique(groups, return_inverse=True)
    return np.asarray(np.random.default_rng(0).permutation(len(names))[member] % FOLDS, dtype=np.int64)


def _unit(points: Floats) -> Floats:
    spread = points.std(0)
    return np.asarray((points - points.mean(0)) / np.where(spread > 0, spread, 1.0))


def _sizes(subject: AuditedDataset, rows: Rows) -> list[tuple[float, ...]]:
    columns = subject.scan.sizes() if subject.scan is not None else {}
    return [tuple(columns[name][row] for name in ("bytes", "width", "height")) for row in rows]


def _cells(subject: AuditedDataset, rows: Rows) -> Floats:
    """Return grey means of 8 x 8 cells of each image [N, 64]; nought for one that cannot be read."""
    cells = np.zeros((len(rows), CELLS * CELLS))
    for place, row in enumerate(rows):
        look = subject.scan.looks[row] if subject.scan is not None else None
        if look is not None:
            side = look.grid.shape[0] // CELLS
            cells[place] = look.grid.reshape(CELLS, side, CELLS, side).mean((1, 3)).ravel()
    return cells
