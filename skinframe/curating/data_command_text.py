"""The text that the data commands print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from skinframe.components import Dataset
from skinframe.curating.audit_result import Audit
from skinframe.curating.data_source import DataSource
from skinframe.data.group_split import PARTS, Split
from skinframe.data.prevalence import prevalence
from skinframe.sample import Sample


def shown(source: DataSource) -> str:
    """Return what a set is: its words, classes, fields, groups; what is missing, where something is."""
    dataset = source.dataset
    lacking = dataset.missing()
    lines = [f"{dataset.name} · {dataset.level}-level", "", *(dataset.__doc__ or "").strip().splitlines()]
    if lacking:
        missing = [f"missing: {item.what}; next: {item.next_step}" for item in lacking]
        return "\n".join([*lines, *_labels(dataset, {}), "", *missing])
    samples = source.samples()
    tally = Counter(sample.label for sample in samples)
    lines += ["", f"{len(samples):,} images of {len({sample.group for sample in samples}):,} {dataset.level}s"]
    lines += [dataset.published()] if dataset.published() else []
    lines += ["", "classes", *(f"  {name:<24}{tally[number]:>9,}" for number, name in enumerate(dataset.classes))]
    lines += _labels(dataset, Counter(sample.labels.get("own") for sample in samples))
    left_out = dataset.left_out()
    if left_out:
        lines += ["", f"left out, as this label set has no class for them: {sum(left_out.values()):,} of the rows"]
        lines += [f"  {name:<24}{count:>9,}" for name, count in sorted(left_out.items())]
    lines += ["", "fields that may enter a question"]
    for field in dataset.fields:
        recorded = sum(sample.metadata.get(field.name) is not None for sample in samples)
        kind = ", ".join(field.values) if field.values else f"{field.low:g} to {field.high:g} {field.unit}".rstrip()
        lines.append(f"  {field.name:<24}{recorded / len(samples):>7.1%} recorded   {kind}")
    if dataset.attributes:
        lines += ["", "attributes, training targets only", f"  {', '.join(dataset.attributes)}"]
    official = Counter(sample.split for sample in samples if sample.split is not None)
    if official:
        lines += ["", "official split", *(f"  {name:<24}{count:>9,}" for name, count in sorted(official.items()))]
    facts = Counter(f"{name} {value}" for sample in samples for name, value in dataset.context(sample).items())
    if facts:
        lines += ["", "for splitting and judging only", *(f"  {item:<40}{n:>9,}" for item, n in facts.most_common(20))]
    return "\n".join(lines)


def _labels(dataset: Dataset, counts: Mapping[str | None, int]) -> list[str]:
    """Return the table of the set's own labels and what they are called elsewhere; nothing where there is none."""
    known = dataset.label_map()
    if not known:
        return []
    names = list(dict.fromkeys(name for shared in known.values() for name in shared))
    wide = max(24, *(len(own) + 2 for own in known))
    lines = ["", "label map", f"  {'own label':<{wide}}" + "".join(f"{name:<14}" for name in names).rstrip()]
    for own, shared in known.items():
        count = f"{counts[own]:>9,}" if counts.get(own) else ""
        lines.append((f"  {own:<{wide}}" + "".join(f"{shared.get(n, '-'):<14}" for n in names) + count).rstrip())
    return lines


def split_text(split: Split, samples: Sequence[Sample], dataset: Dataset, path: Path) -> str:
    """Return the prevalence report of a frozen split."""
    rows = prevalence(split, samples, dataset.classes)
    lines = [f"{path} · {dataset.level}-level split {split.digest[:12]}", ""]
    lines.append(
        f"{'part':<8}{'images':>9}{dataset.level + 's':>10}" + "".join(f"{name:>20}" for name in dataset.classes)
    )
    for name in PARTS:
        groups = len({samples[index].group for index in split.part(name)})
        cells = [f"{row.images:,} {row.share:.1%} ({row.drift:+.1%})" for row in rows if row.part == name]
        lines.append(f"{name:<8}{len(split.part(name)):>9,}{groups:>10,}" + "".join(f"{cell:>20}" for cell in cells))
    lines += ["", "in brackets: how far the share lies from that of the whole set"]
    if split.unused:
        lines.append(f"{len(split.unused):,} training images are left out (split.subset)")
    lines += [f"accepted: {sentence}" for sentence in split.accepted]
    return "\n".join(lines)


def audit_text(audit: Audit, folder: Path) -> str:
    """Return the findings and the strongest probes of an audit."""
    lines = [f"{audit.name} · {audit.level}-level · {audit.images:,} images of {audit.groups:,} {audit.level}s", ""]
    lines.append(f"looked at: {audit.searched}")
    for finding in audit.findings:
        word = "accepted leak" if finding.accepted else {"leak": "LEAK", "watch": "to know"}[finding.level]
        lines += [f"{word}: {finding.name}: {finding.sentence}"]
        lines += [f"    {example}" for example in finding.examples[:3]]
    if not audit.findings:
        lines.append("nothing was found")
    for tier in audit.tiers:
        lines.append(
            f"tier {tier.name} ({tier.meaning}): {tier.images:,} images of {tier.other_set}. {tier.claim}".rstrip()
        )
    for shift in audit.apart:
        if shift.energy is not None:
            lines.append(
                f"shift to {shift.other_set} {shift.tier} in {shift.view}: AUROC {shift.auroc:.3f}, energy distance"
                f" {shift.energy:.3f} (p {shift.energy_p:.3f}), MMD² {shift.mmd:.3f} (p {shift.mmd_p:.3f})"
            )
    lines += ["", f"page {folder / 'audit.html'}"]
    return "\n".join(lines)
