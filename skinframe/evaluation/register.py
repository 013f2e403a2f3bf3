"""What this room adds to the catalog."""

from __future__ import annotations

from skinframe.components import Calibrator, Metric
from skinframe.evaluation.calibrate import NoCalibration, Temperature
from skinframe.evaluation.metrics import Accuracy, BalancedAccuracy, MacroAUROC, MacroF1
from skinframe.evaluation.metrics_calibration import ECE, NLL, BalancedNLL, Brier

METRICS: tuple[type[Metric], ...] = (
    Accuracy,
    BalancedAccuracy,
    MacroAUROC,
    NLL,
    Brier,
    ECE,
    MacroF1,
    BalancedNLL,
)
CALIBRATORS: tuple[type[Calibrator], ...] = (Temperature, NoCalibration)
