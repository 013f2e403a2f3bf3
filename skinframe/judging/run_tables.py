"""The further tables that every run's report has: before and after calibration, doubt, and sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from skinframe.evaluation.calibrators import Temperature
from skinframe.evaluation.subgroups import LEAST_GROUPS
from skinframe.judging.evidence.calibration_table import Method, calibration_table
from skinframe.judging.evidence.selective_and_conformal import lac_rule, selective_table, sets_table
from skinframe.judging.prediction_figures import JudgedSamples
from skinframe.judging.prediction_source import Reference
from skinframe.judging.reference_models import GAMMA, focal_probes
from skinframe.predicting.validation_metrics import Outcome, labels_of
from skinframe.preparing.prepared_data import Prepared
from skinframe.reporting.report_values import EvidenceTable
from skinframe.weighted_statistics import Floats, Ints

PROBE = "linear probe + metadata"  # trained by cross entropy without class weights


def case_sets(prepared: Prepared, outcome: Outcome) -> dict[str, tuple[int, ...]]:
    """Return the 90 % prediction set (LAC) of each test image by its id; empty where calibration has too few groups."""
    known = _calibration(prepared, outcome)
    if len(set(known[2])) < LEAST_GROUPS:
        return {}
    rule = lac_rule(known, prepared.plan.recipe.seed)
    sets = rule.sets(outcome.test.probabilities)
    return {name: tuple(int(k) for k in np.flatnonzero(row)) for name, row in zip(outcome.test.ids, sets, strict=True)}


def _calibration(prepared: Prepared, outcome: Outcome) -> tuple[Ints, Floats, list[str]]:
    """Return labels, probabilities and groups of the calibration fold, before calibration."""
    fold = prepared.folds.calibration
    place = {row: i for i, row in enumerate(prepared.split.valid)}
    probabilities = outcome.valid.probabilities[[place[row] for row in fold]]
    return labels_of(prepared, fold), probabilities, [prepared.samples[row].group for row in fold]


def run_evidence(
    prepared: Prepared, judged: JudgedSamples, outcome: Outcome, tables: Sequence[Reference]
) -> tuple[EvidenceTable, ...]:
    """Return the tables; sets are left out where calibration has too few groups to promise anything."""
    test = outcome.test
    fold = prepared.folds.calibration
    place = {row: i for i, row in enumerate(prepared.split.valid)}
    rows = [place[row] for row in fold]
    known = _calibration(prepared, outcome)
    # sets are made of probabilities that no calibrator has bent to the very fold that sets their thresholds
    sets = sets_table(judged, test.probabilities, known, own=prepared.folds.own)
    methods = list(_methods(prepared, outcome, tables, rows))
    return (
        calibration_table(judged, methods),
        selective_table(judged, test.calibrated),
        *(() if sets is None else (sets,)),
    )


def _methods(
    prepared: Prepared, outcome: Outcome, tables: Sequence[Reference], rows: Sequence[int]
) -> Iterator[Method]:
    """Yield this run before and after, with plain temperature where it uses another, and what it must be read against:

    cross entropy and focal loss, before and after temperature.
    """
    labels = labels_of(prepared, prepared.folds.calibration)
    test, valid = outcome.test, outcome.valid
    yield Method("this run, before", test.probabilities)
    used = prepared.plan.parts.calibrator.name
    if used != "none":
        yield Method(f"this run, after {used.replace('_', ' ')}", test.calibrated)
    if used != "temperature":
        yield Method("this run, after temperature", _tempered(valid.logits[rows], labels, test.logits))
    plain = ((row, "cross entropy") for row in tables if row[0] == PROBE or row[0].startswith(f"{PROBE} ("))
    focal = ((row, f"focal loss, gamma {GAMMA:g}") for row in focal_probes(prepared))
    for (name, _, _, on_test, on_valid), loss in (*plain, *focal):
        assert on_valid is not None
        logits = [np.log(np.maximum(p, np.finfo(np.float64).tiny)) for p in (on_valid[rows], on_test)]
        yield Method(f"{name}, before", on_test, loss)
        yield Method(f"{name}, after temperature", _tempered(logits[0], labels, logits[1]), loss)


def _tempered(fold: Floats, labels: Ints, test: Floats) -> Floats:
    return Temperature().apply(test, Temperature().fit(fold, labels))
