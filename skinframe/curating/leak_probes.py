"""Leak probes: how well a field, missing values, file names or sizes, or the source predict the label.

What may be asked of a patient may well tell the label: nobody of twenty has an actinic keratosis. It leaks where it is
the label in another form. What nobody would diagnose by, such as a file's name, has no such excuse.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from skinframe.curating.audit_result import Finding, Probe
from skinframe.curating.label_predictability import Labels, best_class, binned, coded, fold_of, most_settled
from skinframe.data.groups import components
from skinframe.sample import Sample

LEAK = 0.9  # AUROC of what nobody would diagnose by
FIELD_LEAK = 0.95  # AUROC of a field that the set's policy lets into a question
SETTLED = 0.5  # of a class, named by any of them with at most 1 in 100 wrong
WATCH = 0.7


@dataclass(frozen=True)
class Probed:
    """Labels, component numbers and folds that every probe of a set shares."""

    labels: Labels
    groups: Labels
    folds: Labels
    classes: tuple[str, ...]

    def probe(self, name: str, values: Sequence[Hashable], note: str = "", limit: float = LEAK) -> Probe:
        """Return how well these values, one a sample, tell the label on other groups than they were learned on."""
        scores = coded(values, self.labels, len(self.classes), self.folds)
        value, label = best_class(scores, self.labels, self.classes)
        share, settles = most_settled(scores, self.labels, self.classes)
        return Probe(
            name=name,
            auroc=value,
            label=label,
            settled=share,
            settles=settles if share else "",
            limit=limit,
            note=note,
        )


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
    probes = [known.probe(f"field:{name}", binned(values), limit=FIELD_LEAK) for name, values in columns.items()]
    missing = [tuple(sample.metadata.get(name) is None for name in names) for sample in samples]
    return [*probes, known.probe("missing", missing, "which fields are empty, and nothing else")]


def file_probes(samples: Sequence[Sample], known: Probed, sizes: Mapping[str, Sequence[float]]) -> list[Probe]:
    """Probe ids and file names (their words, their number), folders, and what `sizes` holds (bytes, width, height)."""
    stems = [PurePosixPath(sample.image.replace("\\", "/")).stem for sample in samples]
    names = [*zip(map(_words, stems), (_words(sample.id) for sample in samples), strict=True)]
    probes = [
        known.probe("file-name:words", names, "the letters of id and file name"),
        known.probe("file-name:number", binned([_number(sample.id) for sample in samples]), "the number in the id"),
        known.probe("file-name:folder", [str(PurePosixPath(sample.image).parent) for sample in samples], "its folder"),
    ]
    return probes + [known.probe(f"file-size:{name}", binned(list(values))) for name, values in sizes.items()]


def fact_probes(facts: Sequence[Mapping[str, str]], known: Probed) -> list[Probe]:
    """Probe what the set says of an image beside its metadata: source, institution, device."""
    names = sorted({name for known_facts in facts for name in known_facts})
    return [known.probe(f"source:{name}", [known_facts.get(name) for known_facts in facts]) for name in names]


def judged(probes: Sequence[Probe]) -> list[Finding]:
    """Return a leak for every probe above a limit of its own, and a finding to watch from an AUROC of 0.7 on."""
    findings = []
    for probe in probes:
        share = probe.settled or 0.0
        if probe.auroc is None or (probe.auroc <= WATCH and share < SETTLED):
            continue
        leaks = share >= SETTLED or (probe.limit is not None and probe.auroc > probe.limit)
        sentence = f"{probe.name} alone tells {probe.label} from the rest with AUROC {probe.auroc:.3f}"
        if share >= SETTLED:
            sentence += f" and names {share:.0%} of {probe.settles} with at most 1 in 100 wrong"
        sentence += f" ({probe.note})" if probe.note else ""
        findings.append(Finding(name=probe.name, level="leak" if leaks else "watch", sentence=sentence))
    return findings


def _words(text: str) -> str:
    return re.sub(r"\d+", "0", text)


def _number(text: str) -> float | None:
    digits = re.findall(r"\d+", text)
    return float(digits[0][:15]) if digits else None
