"""The tables of the report: classes, confusion, reliability, data, plan."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skinframe.engine.estimates import estimate
from skinframe.engine.measure import Outcome
from skinframe.engine.prepare import Prepared
from skinframe.evaluation.bca import METHOD, bounds
from skinframe.evaluation.bootstrap import Replicates, replicate
from skinframe.evaluation.intervals import Score
from skinframe.evaluation.reliability import reliability
from skinframe.planning import Plan
from skinframe.planning.show import plan_yaml
from skinframe.planning.sizes import module_rows
from skinframe.reporting.schema import (
    Bin,
    Check,
    ClassRow,
    Confusion,
    Data,
    Estimate,
    PlanModule,
    PlanText,
    Quarantined,
    Reliability,
    Split,
)
from skinframe.roc import auroc
from skinframe.seeding import derive
from skinframe.weighted import Weighted, one_hot, share_of

ALPHA = 0.05


def confusion(prepared: Prepared, outcome: Outcome) -> Confusion:
    """Count test images by true class (rows) and predicted class (columns)."""
    classes = prepared.plan.parts.dataset.classes
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (outcome.test.labels, outcome.test.calibrated.argmax(1)), 1)
    return Confusion(classes=classes, counts=tuple(tuple(int(n) for n in row) for row in counts))


def class_rows(prepared: Prepared, outcome: Outcome) -> tuple[ClassRow, ...]:
    """Return counts, recall and precision with intervals, and AUROC of each class."""
    plan, test = prepared.plan, outcome.test
    classes, evaluate = plan.parts.dataset.classes, plan.recipe.evaluate
    truth = one_hot(test.labels, len(classes))
    named = one_hot(test.calibrated.argmax(1), len(classes))
    statistics: dict[str, Weighted] = {}
    for k, name in enumerate(classes):
        hit, real, said = truth[:, k] * named[:, k], truth[:, k], named[:, k]
        statistics[f"recall:{name}"] = share_of(hit, real)
        statistics[f"precision:{name}"] = share_of(hit, said)
        statistics[f"auroc:{name}"] = auroc(truth[:, k].astype(np.int64), test.calibrated[:, k])
    seed = derive(plan.recipe.seed, "per class")
    found = replicate(statistics, test.groups, seed=seed, resamples=evaluate.resamples)
    counts = prepared.split.counts(prepared.samples, classes)
    return tuple(
        ClassRow(
            name=name,
            n_train=counts["train"][name],
            n_valid=counts["valid"][name],
            n_test=counts["test"][name],
            recall=_estimate(found[f"recall:{name}"], evaluate.level),
            precision=_estimate(found[f"precision:{name}"], evaluate.level),
            auroc=_estimate(found[f"auroc:{name}"], evaluate.level),
        )
        for name in classes
    )


def _estimate(found: Replicates, level: float) -> Estimate:
    low, high = bounds(found, level)
    values = [value if np.isfinite(value) else None for value in (found.estimate, low, high)]
    return Estimate(value=values[0], low=values[1], high=values[2], method=METHOD)


def reliability_sections(
    prepared: Prepared, outcome: Outcome, scores: Mapping[str, Mapping[str, Score]]
) -> tuple[Reliability, ...]:
    """Return the diagram before and after calibration, with bands from the floor's own draws."""
    seed = derive(prepared.plan.recipe.seed, "floor")
    test = outcome.test
    sections = []
    for title, row, table in (
        ("before calibration", "this run, before calibration", test.probabilities),
        ("after calibration", "this run", test.calibrated),
    ):
        draws = prepared.plan.recipe.evaluate.resamples
        bins = reliability(test.labels, table, seed=seed, draws=draws, units=prepared.lesions(prepared.split.test))
        ece = scores[row].get("ece")
        sections.append(
            Reliability(
                name=title,
                bins=tuple(
                    Bin(
                        confidence=one.confidence,
                        accuracy=one.accuracy,
                        count=one.count,
                        low=one.band_low,
                        high=one.band_high,
                    )
                    for one in bins
                ),
                ece=None if ece is None else estimate(ece),
                verdict=_verdict(ece),
            )
        )
    return tuple(sections)


def _verdict(ece: Score | None) -> Check | None:
    """Return the test of the ECE against what perfect calibration would score by chance."""
    if ece is None or ece.floor is None:
        return None
    detail = f"p = {ece.floor.p:.3f}, {ece.n} images, {ece.floor.draws:,} draws"
    return Check(name="ECE against its null floor", passed=ece.floor.p >= ALPHA, detail=detail)


def data_section(prepared: Prepared) -> Data:
    """Return which images, how they were split, what was set aside."""
    dataset = prepared.plan.parts.dataset
    counts = prepared.split.counts(prepared.samples, dataset.classes)
    return Data(
        name=dataset.name,
        synthetic=dataset.name.startswith("synthetic"),
        sentence=(dataset.__doc__ or "").strip().splitlines()[0],
        split_sentence=f"Split by {dataset.level}: no {dataset.level} stands in two parts"
        f" (split {prepared.split.digest[:12]}).",
        splits=tuple(
            Split(
                name=part,
                images=len(prepared.split.part(part)),
                groups=row["groups"],
                classes={name: row[name] for name in dataset.classes},
            )
            for part, row in counts.items()
        ),
        quarantined=tuple(Quarantined(file=name, reason=reason) for name, reason in prepared.quarantined),
    )


def plan_section(plan: Plan) -> PlanText:
    """Return the plan as it was run."""
    rows = tuple(
        PlanModule(name=row.name, role=row.role, parameters=row.parameters, bytes=row.bytes)
        for row in module_rows(plan)
    )
    return PlanText(yaml=plan_yaml(plan), modules=rows, dropped=tuple(plan.wiring.dropped))
