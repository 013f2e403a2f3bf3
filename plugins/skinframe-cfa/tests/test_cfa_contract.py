"""Every term obeys the laws of its coupling class."""

from __future__ import annotations

from skinframe_cfa.alignment.clip_infonce import ClipInfoNCE
from skinframe_cfa.alignment.region_alignment import RegionAlignment
from skinframe_cfa.calibration.brier import Brier
from skinframe_cfa.calibration.mdca import MDCA
from skinframe_cfa.calibration.soft_ece import SoftECE
from skinframe_cfa.classification.cross_entropy import CrossEntropy
from skinframe_cfa.classification.focal import Focal
from skinframe_cfa.consistency.jensen_shannon import Consistency
from skinframe_cfa.language.rationale import Rationale

from skinframe.testing import loss_contract


@loss_contract(
    CrossEntropy(),
    CrossEntropy(CrossEntropy.Config(class_weights="inverse")),
    Focal(),
    Focal(Focal.Config(gamma=0.5, class_weights="none")),
    Focal(Focal.Config(gamma=0.0, class_weights="sqrt")),
    Brier(),
)
def test_classification_terms(loss, check):
    check(loss)


@loss_contract(
    RegionAlignment(),
    RegionAlignment(RegionAlignment.Config(positives="class", query="text")),
    ClipInfoNCE(),
    ClipInfoNCE(ClipInfoNCE.Config(image="queries")),
)
def test_alignment_terms(loss, check):
    check(loss)


@loss_contract(SoftECE(), SoftECE(SoftECE.Config(bins=3, temperature=0.1, queue=0)), MDCA())
def test_calibration_terms(loss, check):
    check(loss)


@loss_contract(
    Consistency(),
    Consistency(Consistency.Config(stop_gradient="image")),
    Consistency(Consistency.Config(stop_gradient="text")),
)
def test_consistency_terms(loss, check):
    check(loss)


@loss_contract(Rationale())
def test_language_terms(loss, check):
    check(loss)
