"""Duplicates within a data set and across two: near-duplicates and nearest neighbours in feature space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skinframe.curating.audit_result import Finding, Pair
from skinframe.curating.audited_dataset import AuditedDataset
from skinframe.curating.pair_thumbnails import pairs
from skinframe.preparing.near_duplicates import REVIEW, TEXTURE, Near, near_pairs
from skinframe.sample import Sample

Floats = NDArray[np.float32]
BLOCK = 1024
QUANTILE = 0.5  # of the cosines of images of one lesion: what is as close as those is worth a look


def mutual_neighbours(
    features: Floats, others: Floats | None = None, *, known: NDArray[np.int64] | None = None, least: float = 0.95
) -> list[tuple[int, int, float]]:
    """Return (row, other row, cosine) of pairs that are each other's nearest with a cosine of at least `least`.

    Features [N, D] are scaled to unit length here. Within one set (`others` is None), rows of one component `known`
    are no neighbours. Most alike first.
    """
    here = _unit(features)
    there = here if others is None else _unit(others)
    forward, cosine = _nearest(here, there, known if others is None else None)
    back = forward if others is None else _nearest(there, here, None)[0]
    pairs = [
        (row, int(other), float(cosine[row]))
        for row, other in enumerate(forward)
        if back[other] == row and cosine[row] >= least and (others is not None or row < other)
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))


def threshold(features: Floats, known: NDArray[np.int64], fallback: float = 0.95) -> float:
    """Return the median cosine of neighbouring images of one component; `fallback` where fewer than 20 pairs exist."""
    unit = _unit(features)
    order = np.argsort(known, kind="stable")
    same = known[order[:-1]] == known[order[1:]]
    cosines = np.einsum("nd,nd->n", unit[order[:-1]][same], unit[order[1:]][same])
    return float(np.quantile(cosines, QUANTILE)) if len(cosines) >= 20 else fallback


def _unit(features: Floats) -> Floats:
    flat = np.asarray(features, dtype=np.float32).reshape(len(features), -1)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6), dtype=np.float32)


def _nearest(here: Floats, there: Floats, known: NDArray[np.int64] | None) -> tuple[NDArray[np.int64], Floats]:
    nearest, cosine = np.zeros(len(here), dtype=np.int64), np.zeros(len(here), dtype=np.float32)
    for start in range(0, len(here), BLOCK):
        block = here[start : start + BLOCK] @ there.T
        if known is not None:
            block[known[start : start + BLOCK, None] == known[None]] = -2
        nearest[start : start + BLOCK] = block.argmax(1)
        cosine[start : start + BLOCK] = block.max(1)
    return nearest, cosine


EXAMPLES = 10


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Copies (pairs of rows), what is to be said of them, and what a person should look at."""

    near: Sequence[tuple[int, int]] = ()
    findings: Sequence[Finding] = ()
    pairs: Sequence[Pair] = ()


def within(subject: AuditedDataset) -> Copies:
    """Find identical pixels, copies and look-alikes that no patient or lesion id links."""
    if subject.scan is None:
        return Copies(findings=_conflicts(subject.samples, subject.keys))
    rows, known = subject.scan.rows(), subject.known()
    close_pairs = [
        _in(near, rows, rows) for near in near_pairs(subject.scan.grids(rows), known=known[rows], least=REVIEW)
    ]
    copies = [near for near in close_pairs if near.score >= TEXTURE]
    findings = [*_identical(subject), *_conflicts(subject.samples, subject.keys)]
    if copies:
        findings.append(
            _pair_finding("near-duplicate", copies, subject.samples, subject.samples, "of no common id look alike")
        )
    if subject.features is not None:
        findings += _neighbours(subject, {(near.first, near.second) for near in close_pairs})
    shown = pairs(close_pairs, subject.samples, subject.dataset)
    return Copies(near=[(near.first, near.second) for near in copies], findings=findings, pairs=shown)


def across(subject: AuditedDataset, other: AuditedDataset) -> Copies:
    """Find copies between two sets that have not the same pixels; `set_comparison.shared_images` finds those."""
    if subject.scan is None or other.scan is None:
        return Copies()
    here, there = subject.scan.rows(), other.scan.rows()
    keys, other_keys = subject.keys, other.keys
    close_pairs = near_pairs(subject.scan.grids(here), other.scan.grids(there), least=REVIEW)
    close_pairs = [
        near for near in (_in(pair, here, there) for pair in close_pairs) if keys[near.first] != other_keys[near.second]
    ]
    copies = [near for near in close_pairs if near.score >= TEXTURE]
    name = f"across:{other.name}:near-duplicate"
    sentence = f"look like copies across the sets (this one and {other.name})"
    findings = (
        [replace(_pair_finding(name, copies, subject.samples, other.samples, sentence), level="leak")] if copies else []
    )
    shown = pairs(close_pairs, subject.samples, subject.dataset, other.samples, other.dataset, other.name)
    return Copies(findings=findings, pairs=shown)


def _in(near: Near, rows: Sequence[int], others: Sequence[int]) -> Near:
    return replace(near, first=rows[near.first], second=others[near.second])


def _pair_finding(
    name: str, near: Sequence[Near], here: Sequence[Sample], there: Sequence[Sample], sentence: str
) -> Finding:
    examples = tuple(f"{here[pair.first].id} and {there[pair.second].id}" for pair in near[:EXAMPLES])
    sentence = f"{len(near):,} pairs {sentence}; see the pairs"
    return Finding(name=name, level="watch", sentence=sentence, examples=examples)


def _identical(subject: AuditedDataset) -> list[Finding]:
    """Find images of different patients or lesions whose pixels are the same."""
    held: dict[str, list[Sample]] = {}
    for sample, key in zip(subject.samples, subject.keys, strict=True):
        if key is not None:
            held.setdefault(key, []).append(sample)
    same = [group for group in held.values() if len({sample.group for sample in group}) > 1]
    if not same:
        return []
    examples = tuple(" and ".join(sample.id for sample in group[:4]) for group in same[:EXAMPLES])
    sentence = f"{len(same):,} images with the same pixels belong to more than one {subject.dataset.level}"
    return [Finding(name="identical-image", level="watch", sentence=sentence, examples=examples)]


def _conflicts(samples: Sequence[Sample], keys: Sequence[str | None]) -> list[Finding]:
    """Find one lesion, or one image, with two labels."""
    held: dict[str, list[Sample]] = {}
    for sample, key in zip(samples, keys, strict=True):
        for unit in (f"lesion {sample.lesion_key}" if sample.lesion else None, f"pixels {key[:12]}" if key else None):
            if unit is not None:
                held.setdefault(unit, []).append(sample)
    bad = {unit: members for unit, members in held.items() if len({sample.label for sample in members}) > 1}
    if not bad:
        return []
    examples = tuple(f"{unit}: {', '.join(sample.id for sample in members[:4])}" for unit, members in bad.items())
    sentence = f"{len(bad):,} lesions or images carry two labels"
    return [Finding(name="label-conflict", level="watch", sentence=sentence, examples=examples[:EXAMPLES])]


def _neighbours(subject: AuditedDataset, known_pairs: set[tuple[int, int]]) -> list[Finding]:
    features, known = subject.features, subject.known()
    if features is None:
        return []
    least = threshold(features, known)
    pairs = [pair for pair in mutual_neighbours(features, known=known, least=least) if pair[:2] not in known_pairs]
    if not pairs:
        return []
    examples = tuple(
        f"{subject.samples[first].id} and {subject.samples[second].id} ({cosine:.3f})"
        for first, second, cosine in pairs[:EXAMPLES]
    )
    sentence = (
        f"{len(pairs):,} pairs of no common id are each other's nearest in the encoder's space, with a cosine of at "
        f"least {least:.3f}, the median of images of one {subject.dataset.level}"
    )
    return [Finding(name="feature-neighbour", level="watch", sentence=sentence, examples=examples)]
