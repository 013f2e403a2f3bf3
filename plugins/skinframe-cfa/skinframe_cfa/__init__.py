"""Loss terms of the consistency-aware focal alignment loss (our reconstruction) and their comparisons."""

from __future__ import annotations

import skinframe
from skinframe_cfa.alignment.clip_infonce import ClipInfoNCE
from skinframe_cfa.alignment.filip import FILIP
from skinframe_cfa.alignment.region_alignment import RegionAlignment
from skinframe_cfa.alignment.region_mask import RegionMask
from skinframe_cfa.alignment.siglip import SigLIP
from skinframe_cfa.alignment.sparc import SPARC
from skinframe_cfa.alignment.unicl import UniCL
from skinframe_cfa.balance.gradnorm import GradNorm
from skinframe_cfa.balance.uncertainty import Uncertainty
from skinframe_cfa.branch_consistency import Consistency
from skinframe_cfa.calibration.adaptive_label_smoothing import ACLS
from skinframe_cfa.calibration.brier import BrierLoss
from skinframe_cfa.calibration.confidence_accuracy_difference import DCA, MDCA
from skinframe_cfa.calibration.confidence_penalty import ConfidencePenalty
from skinframe_cfa.calibration.correctness_ranking import CorrectnessRanking
from skinframe_cfa.calibration.kde_ece import KDEECE
from skinframe_cfa.calibration.margin_label_smoothing import MbLS
from skinframe_cfa.calibration.mmce import MMCE, WeightedMMCE
from skinframe_cfa.calibration.smooth_ece import SmoothECELoss
from skinframe_cfa.calibration.soft_ece import SoftECE
from skinframe_cfa.classification.adaptive_focal import FLSD, AdaptiveFocal
from skinframe_cfa.classification.asymmetric import Asymmetric
from skinframe_cfa.classification.cross_entropy import CrossEntropy
from skinframe_cfa.classification.focal import Focal
from skinframe_cfa.classification.label_smoothing import LabelSmoothing
from skinframe_cfa.classification.ldam import LDAM
from skinframe_cfa.classification.logit_adjustment import LogitAdjustment
from skinframe_cfa.rationale_cross_entropy import Rationale

CLASSIFICATION = (AdaptiveFocal, Asymmetric, CrossEntropy, FLSD, Focal, LabelSmoothing, LDAM, LogitAdjustment)
ALIGNMENT = (ClipInfoNCE, FILIP, RegionAlignment, RegionMask, SigLIP, SPARC, UniCL)
CALIBRATION: tuple[type[skinframe.Loss], ...] = (
    ACLS,
    BrierLoss,
    ConfidencePenalty,
    CorrectnessRanking,
    DCA,
    KDEECE,
    MbLS,
    MDCA,
    MMCE,
    SmoothECELoss,
    SoftECE,
    WeightedMMCE,
)
OTHERS = (Consistency, Rationale)


@skinframe.hookimpl
def register_losses() -> list[type[skinframe.Loss]]:
    """Return the loss terms."""
    return [*CLASSIFICATION, *ALIGNMENT, *CALIBRATION, *OTHERS]


@skinframe.hookimpl
def register_balancers() -> list[type[skinframe.Balancer]]:
    """Return what learns the balance of the terms."""
    return [GradNorm, Uncertainty]
