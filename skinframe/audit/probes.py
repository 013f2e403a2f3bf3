"""Leak probes: a field, what is missing, a file's name or size, the source: none of them may tell the label."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from skinframe.audit.coding import Labels, best_class, binned, coded, fold_of
from skinframe.audit.finding import Finding, Probe
from skinframe.data.groups import components
from skinframe.sample import Sample

LEAK = 0.9
WATCH = 0.7


@dataclass(frozen=True)
class Probed:
    """Labels, component numbers and folds that every probe of a set shares."""

    labels: Labels
    groups: Labels
    folds: Labels
    classes: tuple[str, ...]

    def auroc(self, values: Sequence[Hashable]) -> tuple[float | None, str]:
        scores = coded(values, self.labels, len(self.classes), self.folds)
        return best_class(scores, self.labels, self.classes)


def probed(samples: Sequence[Sample], classes: Sequence[str]) -> Probed:
    """Return what the probes of these samples share."""
    labels = np.array([sample.label for sample in samples], dtype=np.int64)
    joined = components(samples)
    groups = np.zeros(len(samples), dtype=np.int64)
    for number, group in enumerate(joined):
        groups[group] = number
    return Probed(labels, groups, fold_of(joined, [sample.id for sample in samples]), tuple(classes))


def field_probes(samples: Sequence[Sample], known: Probed) -> list[Probe]:
    """Probe each metadata field alone, and which fields are recorded at all, as a whole pattern."""
    names = sorted({name for sample in samples for name in sample.metadata})
    columns = {name: [sample.metadata.get(name) for sample in samples] for name in names}
    found = [_probe(f"field:{name}", binned(values), known) for name, values in columns.items()]
    missing = [tuple(sample.metadata.get(name) is None for name in names) for sample in samples]
    return [*found, _probe("missing", missing, known, "which fields are empty, and nothing else")]


def file_probes(samples: Sequence[Sample], known: Probed, sizes: Mapping[str, Sequence[float]]) -> list[Probe]:
    """Probe ids and file names (their words, their number), folders, and what `sizes` holds (bytes, width, height)."""
    stems = [PurePosixPath(sample.image.replace("\\", "/")).stem for sample in samples]
    names = [*zip(map(_words, stems), (_words(sample.id) for sample in samples), strict=True)]
    found = [
        _probe("file-name:words", names, known, "the letters of id and file name"),
        _probe("file-name:number", binned([_number(sample.id) for sample in samples]), known, "the number in the id"),
        _probe(
            "file-name:folder", [str(PurePosixPath(sample.image).parent) for sample in samples], known, "its folder"
        ),
    ]
    return found + [_probe(f"file-size:{name}", binned(list(values)), known) for name, values in sizes.items()]


def fact_probes(facts: Sequence[Mapping[str, str]], known: Probed) -> list[Probe]:
    """Probe what the set says of an image beside its metadata: source, institution, device."""
    names = sorted({name for one in facts for name in one})
    return [_probe(f"source:{name}", [one.get(name) for one in facts], known) for name in names]


def judged(probes: Sequence[Probe]) -> list[Finding]:
    """Return a leak for every probe above its limit, and a finding to watch from 0.7 on."""
    found = []
    for probe in probes:
        if probe.auroc is None or probe.auroc <= WATCH:
            continue
        level = "leak" if probe.auroc > probe.limit else "watch"
        sentence = f"{probe.name} alone tells {probe.label} from the rest with AUROC {probe.auroc:.3f}"
        found.append(
            Finding(name=probe.name, level=level, sentence=sentence + (f" ({probe.note})" if probe.note else ""))
        )
    return found


def _probe(name: str, values: Sequence[Hashable], known: Probed, note: str = "") -> Probe:
    value, label = known.auroc(values)
    return Probe(name=name, auroc=value, label=label, limit=LEAK, note=note)


def _words(text: str) -> str:
    return re.sub(r"\d+", "0", text)


def _number(text: str) -> float | None:
    digits = re.findall(r"\d+", text)
    return float(digits[0][:15]) if digits else None
