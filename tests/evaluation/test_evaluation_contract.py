"""The engine's own metrics and calibrators keep the contracts that a plugin's must."""

from __future__ import annotations

from skinframe.evaluation.metric_registration import CALIBRATORS, METRICS
from skinframe.testing import calibrator_contract, metric_contract


@metric_contract(*(metric() for metric in METRICS))
def test_metrics(metric, check):
    check(metric)


@calibrator_contract(*(calibrator() for calibrator in CALIBRATORS))
def test_calibrators(calibrator, check):
    check(calibrator)
