"""What this room adds to the catalog."""

from __future__ import annotations

from skinframe.components import Calibrator, Metric
from skinframe.evaluate.calibrate import NoCalibration, Temperature
from skinframe.evaluate.metrics import Accuracy, BalancedAccuracy, MacroAUROC, MacroF1
from skinframe.evaluate.metrics_calibration import ECE, NLL, BalancedNLL, Brier

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
