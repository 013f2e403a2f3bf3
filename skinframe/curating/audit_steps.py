"""The steps of an audit: duplicates, split leaks, label leaks, comparison with other sets, class counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from skinframe.curating import dataset_comparison, duplicate_search
from skinframe.curating.audit_result import Audit, Finding, Pair, Probe, Tier
from skinframe.curating.audited_dataset import AuditedDataset
from skinframe.curating.class_counts import parts, subgroups
from skinframe.curating.distance_tiers import tiers
from skinframe.curating.leak_probes import fact_probes, field_probes, file_probes, judged, probed
from skinframe.curating.text_probes import text_findings
from skinframe.data.group_split import PARTS, Split
from skinframe.data.groups import NearPairs, leak_name, split_leaks
from skinframe.version import __version__

EXAMPLES = 10


@dataclass(frozen=True)
class Division:
    """The split that is judged and where it comes from; None with the reason where none can be made."""

    split: Split | None
    sentence: str


def audit_of(
    subject: AuditedDataset,
    *,
    divide: Callable[[NearPairs], Division],
    against: Sequence[AuditedDataset] = (),
    accept: Collection[str] = (),
) -> Audit:
    """Return everything that was found; `divide` gives the split, with the near-duplicates that were found in hand.

    A finding that `accept` names is kept and marked.
    """
    own = duplicate_search.within(subject)
    division = divide(own.near)
    split = division.split
    probes, leaks = label_leaks(subject)
    findings = [*own.findings, *split_findings(subject, division, own.near), *leaks]
    rows: list[Tier] = []
    apart = dataset_comparison.across_sources(subject)
    shown: list[Pair] = list(own.pairs)
    for other in against:
        between = duplicate_search.across(subject, other)
        findings += dataset_comparison.shared_ids(subject.samples, other.samples, other.name)
        findings += dataset_comparison.shared_images(
            subject.samples, subject.keys, other.samples, other.keys, other.name
        )
        findings += between.findings
        shown += between.pairs
        apart += dataset_comparison.across_sets(subject, other)
        rows += tiers(other.name, other.samples, other.facts, other.classes, subject.facts)
    findings += dataset_comparison.judged(apart)
    return Audit(
        name=subject.name,
        level=subject.dataset.level,
        date=datetime.now(UTC).date().isoformat(),
        version=__version__,
        images=len(subject.samples),
        groups=len({sample.group for sample in subject.samples}),
        classes=subject.classes,
        searched=_searched(subject, division, against),
        findings=tuple(replace(finding, accepted=finding.name in accept) for finding in _sorted(findings)),
        probes=tuple(probes),
        parts=parts(subject.samples, subject.classes, split),
        subgroups=subgroups(subject.samples, subject.classes),
        tiers=tuple(rows),
        apart=tuple(apart),
        pairs=tuple(shown),
    )


def label_leaks(subject: AuditedDataset) -> tuple[list[Probe], list[Finding]]:
    """Return every probe of what must not tell the label, and what they found."""
    known = probed(subject.samples, subject.classes)
    sizes = subject.scan.sizes() if subject.scan is not None else {}
    probes = [
        *field_probes(subject.samples, known),
        *file_probes(subject.samples, known, sizes),
        *fact_probes(subject.facts, known),
    ]
    text, word_findings = text_findings(subject.samples, subject.question, known, subject.forbidden)
    return [*probes, *text], [*judged(probes), *word_findings]


def split_findings(subject: AuditedDataset, division: Division, near: NearPairs) -> list[Finding]:
    """Return a leak for each kind of link that reaches over two parts of the split; to know, where there is none."""
    if division.split is None:
        return [Finding(name="split", level="watch", sentence=division.sentence)]
    part_of = {index: name for name in PARTS for index in division.split.part(name)}
    return [
        Finding(
            name=leak_name(kind),
            level="leak",
            sentence=f"{len(lines):,} links of kind {kind} reach over two parts of the split",
            examples=tuple(lines[:EXAMPLES]),
        )
        for kind, lines in split_leaks(part_of, subject.samples, subject.keys, near).items()
    ]


def _sorted(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.level != "leak")


def _searched(subject: AuditedDataset, division: Division, against: Sequence[AuditedDataset]) -> str:
    level = subject.dataset.level
    sentences = [f"groups are at the {level} level" + ("" if level == "patient" else ": no patient ids are known")]
    sentences.append("there is no split" if division.split is None else f"the split is {division.sentence}")
    if subject.scan is None:
        sentences.append("images were not looked at, so copies were not looked for")
    elif subject.scan.unusable:
        sentences.append(f"{len(subject.scan.unusable):,} images could not be read")
    sentences += [f"{other.name} was compared by ids alone" for other in against if other.scan is None]
    return "; ".join(sentences)
