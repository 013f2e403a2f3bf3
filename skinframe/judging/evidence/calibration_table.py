"""Before and after calibration, for every method in the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skinframe.evaluation.measures.debiased import DebiasedL2
from skinframe.evaluation.measures.smooth import SmoothECE
from skinframe.evaluation.metrics_calibration import ECE, NLL, Brier
from skinframe.judging.prediction_figures import Judged
from skinframe.judging.report_estimates import estimate
from skinframe.reporting.evidence import EvidenceRow, EvidenceTable
from skinframe.weighted import Floats

METRICS = (NLL(), Brier(), DebiasedL2(), SmoothECE(), ECE())
HEAD = ("NLL", "Brier score", "debiased error²", "smooth ECE", "ECE, 15 bins")
SENTENCE = (
    "What each method's probabilities are worth as they come and after calibration; the calibrator never saw a test"
    " image. Proper scores come first; the debiased squared error is centred on 0 for a calibrated model, and the"
    " others are not: a floor is what a perfectly calibrated model of this sharpness and n would score, p the chance"
    " that it scores as much. What a calibration term adds is read against cross entropy and temperature, and against"
    " focal loss and temperature: here for probes, which see the same features and metadata."
)


@dataclass(frozen=True, eq=False)
class Method:
    """Test probabilities [N, C] of one method, under the name that the table gives them."""

    name: str
    probabilities: Floats
    note: str = ""


def calibration_table(judged: Judged, methods: Sequence[Method]) -> EvidenceTable:
    """Return calibration errors and proper scores of each method."""
    return EvidenceTable(
        name="Before and after calibration",
        sentence=SENTENCE,
        head=HEAD,
        rows=tuple(_row(judged, method) for method in methods),
    )


def _row(judged: Judged, method: Method) -> EvidenceRow:
    found = judged.scored({metric.name: metric for metric in METRICS}, method.probabilities)
    return EvidenceRow(
        name=method.name, cells=tuple(estimate(found[metric.name]) for metric in METRICS), note=method.note
    )
