"""What this room adds to the catalog."""

from __future__ import annotations

from skinframe.components import Calibrator, Metric
from skinframe.evaluation.calibration_error import (
    ECE,
    MCE,
    DebiasedL2,
    ECEClasswise,
    ECEMass,
    Overconfidence,
    Underconfidence,
)
from skinframe.evaluation.calibrators import BiasCorrectedTemperature, Dirichlet, NoCalibration, Temperature, Vector
from skinframe.evaluation.discrimination import (
    AUPRC,
    AUROC,
    MCC,
    Accuracy,
    BalancedAccuracy,
    MacroAUPRC,
    MacroAUROC,
    MacroF1,
    PartialAUC,
    WeightedAUROC,
)
from skinframe.evaluation.one_vs_rest_calibrators import Beta, Isotonic
from skinframe.evaluation.operating_points import (
    NPV,
    PPV,
    Sensitivity,
    SensitivityAtSpecificity,
    Specificity,
    SpecificityAtSensitivity,
)
from skinframe.evaluation.proper_scores import NLL, BalancedNLL, Brier, BrierDSC, BrierMCB, BrierUNC
from skinframe.evaluation.selective_prediction import AUGRC, AURC, ExcessAURC
from skinframe.evaluation.smooth_ece import SmoothECE

METRICS: tuple[type[Metric], ...] = (
    Accuracy,
    BalancedAccuracy,
    MacroAUROC,
    NLL,
    Brier,
    ECE,
    MacroF1,
    BalancedNLL,
    # by name only
    WeightedAUROC,
    MacroAUPRC,
    MCC,
    ECEMass,
    ECEClasswise,
    MCE,
    Overconfidence,
    Underconfidence,
    DebiasedL2,
    SmoothECE,
    BrierMCB,
    BrierDSC,
    BrierUNC,
    AUGRC,
    AURC,
    ExcessAURC,
    AUROC,
    AUPRC,
    PartialAUC,
    Sensitivity,
    Specificity,
    PPV,
    NPV,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
CALIBRATORS: tuple[type[Calibrator], ...] = (
    Temperature,
    NoCalibration,
    BiasCorrectedTemperature,
    Vector,
    Dirichlet,
    Isotonic,
    Beta,
)
