"""This model against each reference on the same images, and how well the positive classes are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.discrimination import BalancedAccuracy
from skinframe.evaluation.hypothesis_tests import holm, resamples_for
from skinframe.evaluation.proper_scores import NLL
from skinframe.evaluation.scores_with_intervals import difference_of, replicates_of_pairs
from skinframe.judging.prediction_figures import JudgedSamples, interval_of
from skinframe.judging.report_estimates import estimate, known
from skinframe.reporting.claims import BEFORE
from skinframe.reporting.report_values import SCREENING, Difference, EvidenceRow, EvidenceTable
from skinframe.roc import auroc
from skinframe.seeding import derive
from skinframe.weighted_statistics import Floats, Weighted, share_of

METRICS = (BalancedAccuracy(), NLL())


def reference_differences(
    judged: JudgedSamples, main: tuple[str, Floats], others: Sequence[tuple[str, Floats]]
) -> tuple[Difference, ...]:
    """Return the main row minus each other row in balanced accuracy and NLL, with p-values after Holm over all.

    The row before calibration names the same classes as the main one, so that only its NLL is compared.
    """
    name, own = main
    asked = [
        (other, metric, probabilities)
        for other, probabilities in others
        for metric in METRICS
        if other != BEFORE or metric.name == "nll"
    ]
    if not asked or not len(judged.labels):
        return ()
    resamples = resamples_for(len(asked))
    pairs = {str(place): (metric, own, probabilities) for place, (_, metric, probabilities) in enumerate(asked)}
    seed = derive(judged.seed, "references")
    drawn = replicates_of_pairs(pairs, judged.labels, judged.groups, seed=seed, resamples=resamples)
    gaps = [
        difference_of(found, len(judged.labels), judged.groups, level=judged.level, resamples=resamples)
        for found in drawn.values()
    ]
    rows = [
        Difference(
            first=name,
            second=other,
            metric=metric.name,
            estimate=estimate(gap),
            p_value=known(gap.p),
            higher_is_better=metric.higher_is_better,
        )
        for (other, metric, _), gap in zip(asked, gaps, strict=True)
    ]
    adjusted = holm([gap.p for gap in gaps])
    return tuple(replace(row, adjusted=known(float(p))) for row, p in zip(rows, adjusted, strict=True))


def screening_table(
    judged: JudgedSamples, probabilities: Floats, positive: Sequence[str], titles: Mapping[str, str], *, word: str
) -> EvidenceTable | None:
    """Return sensitivity, specificity and AUROC of each positive class and of all together; None where none is known.

    `word` is what these classes are called: malignant where the data set says so. An image is called positive where
    its most probable class is. The AUROC is of the sum of the probabilities.
    """
    places = [judged.classes.index(name) for name in positive if name in judged.classes]
    if not places or len(places) == len(judged.classes):
        return None
    asked = [([place], _title(judged.classes[place], titles)) for place in places]
    if len(places) > 1:
        asked.append((places, f"any {word} class"))
    named = probabilities.argmax(axis=1)
    statistics: dict[str, Weighted] = {}
    for columns, title in asked:
        truth, called = np.isin(judged.labels, columns), np.isin(named, columns)
        statistics[f"sensitivity {title}"] = share_of(called, truth)
        statistics[f"specificity {title}"] = share_of(~called, ~truth)
        statistics[f"auroc {title}"] = auroc(truth, probabilities[:, columns].sum(axis=1))
    seed = derive(judged.seed, "bootstrap")
    found = replicate(statistics, judged.groups, seed=seed, resamples=judged.resamples)
    level = judged.level
    return EvidenceTable(
        name=f"{word.capitalize()} classes",
        topic=SCREENING,
        sentence=f"Each {word} class against all other images. An image is called {word} where the most probable class"
        " is; no threshold was chosen. AUROC is of the probability.",
        head=("sensitivity", "specificity", "AUROC"),
        rows=tuple(
            EvidenceRow(
                name=title,
                cells=tuple(
                    interval_of(found[f"{kind} {title}"], level) for kind in ("sensitivity", "specificity", "auroc")
                ),
                note=f"{int(np.isin(judged.labels, columns).sum()):,} of {len(judged.labels):,} images",
            )
            for columns, title in asked
        ),
    )


def _title(label: str, titles: Mapping[str, str]) -> str:
    full = titles.get(label, label)
    return label if full.lower() == label.lower() else f"{full} ({label})"
