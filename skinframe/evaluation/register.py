"""What this room adds to the catalog."""

from __future__ import annotations

from skinframe.components import Calibrator, Metric
from skinframe.evaluation.calibrate import NoCalibration, Temperature
from skinframe.evaluation.calibrators.beta import Beta
from skinframe.evaluation.calibrators.dirichlet import Dirichlet
from skinframe.evaluation.calibrators.isotonic import Isotonic
from skinframe.evaluation.calibrators.scaling import BiasCorrectedTemperature, Vector
from skinframe.evaluation.measures.agreement import MCC
from skinframe.evaluation.measures.binned import MCE, ECEClasswise, ECEMass, Overconfidence, Underconfidence
from skinframe.evaluation.measures.corp import BrierDSC, BrierMCB, BrierUNC
from skinframe.evaluation.measures.debiased import DebiasedL2
from skinframe.evaluation.measures.decisions import NPV, PPV, Sensitivity, Specificity
from skinframe.evaluation.measures.operating import SensitivityAtSpecificity, SpecificityAtSensitivity
from skinframe.evaluation.measures.ranking import AUPRC, AUROC, MacroAUPRC, PartialAUC, WeightedAUROC
from skinframe.evaluation.measures.selective import AUGRC, AURC, ExcessAURC
from skinframe.evaluation.measures.smooth import SmoothECE
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
