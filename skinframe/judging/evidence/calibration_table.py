"""Before and after calibration, for every method in the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skinframe.evaluation.calibration_error import ECE, DebiasedL2
from skinframe.evaluation.proper_scores import NLL, Brier
from skinframe.evaluation.smooth_ece import SmoothECE
from skinframe.judging.prediction_figures import JudgedSamples
from skinframe.judging.report_estimates import estimate
from skinframe.reporting.report_values import CALIBRATION, EvidenceRow, EvidenceTable
from skinframe.weighted_statistics import Floats

METRICS = (NLL(), Brier(), DebiasedL2(), SmoothECE(), ECE())
HEAD = ("NLL", "Brier score", "debiased error²", "smooth ECE", "ECE, 15 bins")
SENTENCE = (
    "Proper scores and calibration errors of each method, before and after calibration; no calibrator was fitted on"
    " test images. The debiased squared error is centred on 0 for a calibrated model; the other errors are biased"
    " upwards: the floor is the mean score of a perfectly calibrated model with these probabilities, p the probability"
    " that it scores at least as much. Compare a calibration term with cross entropy plus temperature scaling, and with"
    " focal loss plus temperature scaling; here both are linear probes on the same features and metadata."
)


@dataclass(frozen=True, eq=False)
class Method:
    """Test probabilities [N, C] of one method, under the name that the table gives them."""

    name: str
    probabilities: Floats
    note: str = ""


def calibration_table(judged: JudgedSamples, methods: Sequence[Method]) -> EvidenceTable:
    """Return calibration errors and proper scores of each method."""
    return EvidenceTable(
        name="Calibration metrics before and after calibration",
        topic=CALIBRATION,
        sentence=SENTENCE,
        head=HEAD,
        rows=tuple(_row(judged, method) for method in methods),
    )


def _row(judged: JudgedSamples, method: Method) -> EvidenceRow:
    found = judged.scored({metric.name: metric for metric in METRICS}, method.probabilities)
    return EvidenceRow(
        name=method.name, cells=tuple(estimate(found[metric.name]) for metric in METRICS), note=method.note
    )
