"""Whether a table holds the rows that were published: a digest of ids, own labels and groups, whatever its layout."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from skinframe import Sample
from skinframe_derm.facts import Facts


def rows_digest(samples: Sequence[Sample]) -> str:
    """Return the SHA-256 of the sorted lines `id,own label,patient,lesion`, each ended by a line feed, in UTF-8."""
    lines = sorted(f"{s.id},{s.labels.get('own', '')},{s.patient or ''},{s.lesion or ''}\n" for s in samples)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def compared(facts: Facts, samples: Sequence[Sample], left_out: Mapping[str, int]) -> str:
    """Say whether the rows are the published ones, where a digest of those is known and all of them are read."""
    if not facts.rows_sha256:
        return f"{len(samples):,} of {facts.images:,} published rows; no checksum of them is known"
    if left_out:
        return f"not compared with the published rows: the label set leaves out {sum(left_out.values()):,}"
    if rows_digest(samples) == facts.rows_sha256:
        return f"the published rows, SHA-256 {facts.rows_sha256[:16]}"
    return f"not the published rows: {len(samples):,} of {facts.images:,}, or other ids, labels or groups"
