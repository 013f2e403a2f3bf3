"""Every term obeys the laws of its coupling class; those of `calibration/` in their own files."""

from __future__ import annotations

import torch
from skinframe_cfa.alignment.clip_infonce import ClipInfoNCE
from skinframe_cfa.alignment.filip import FILIP
from skinframe_cfa.alignment.region_alignment import RegionAlignment
from skinframe_cfa.alignment.siglip import SigLIP
from skinframe_cfa.alignment.sparc import SPARC
from skinframe_cfa.alignment.unicl import UniCL
from skinframe_cfa.branch_consistency import Consistency
from skinframe_cfa.classification.adaptive_focal import FLSD, AdaptiveFocal
from skinframe_cfa.classification.asymmetric import Asymmetric
from skinframe_cfa.classification.cross_entropy import CrossEntropy
from skinframe_cfa.classification.focal import Focal
from skinframe_cfa.classification.label_smoothing import LabelSmoothing
from skinframe_cfa.classification.ldam import LDAM
from skinframe_cfa.classification.logit_adjustment import LogitAdjustment
from skinframe_cfa.rationale_cross_entropy import Rationale

from skinframe.testing import integers, loss_contract, unit_vectors

EXAMPLES = 8  # a check: each term has a file of properties of its own beside this one


@loss_contract(
    CrossEntropy(),
    CrossEntropy(CrossEntropy.Config(class_weights="inverse")),
    Focal(),
    Focal(Focal.Config(gamma=0.5, class_weights="none")),
    Focal(Focal.Config(gamma=0.0, class_weights="sqrt")),
    FLSD(),
    FLSD(FLSD.Config(hard=0.5, easy=0.0, threshold=0.5, class_weights="none")),
    AdaptiveFocal(),
    AdaptiveFocal(AdaptiveFocal.Config(thresholds=(0.1, 0.3, 0.45), class_weights="sqrt")),
    LabelSmoothing(),
    LabelSmoothing(LabelSmoothing.Config(smoothing=0.5, class_weights="inverse")),
    LogitAdjustment(),
    LogitAdjustment(LogitAdjustment.Config(tau=0.0)),
    LDAM(),
    LDAM(LDAM.Config(margin=2.0, scale=30.0)),
    examples=EXAMPLES,
)
def test_classification_terms(loss, check):
    check(loss)


def some_known(shape, _):
    """Draw attributes of which each sample knows the first: the engine counts samples with a known one."""
    drawn = integers(shape, 0, 2).map(lambda values: torch.where(values == 2, torch.nan, values.double()))
    return drawn.map(lambda values: torch.cat([values[:, :1].nan_to_num(1.0), values[:, 1:]], dim=1))


@loss_contract(
    Asymmetric(),
    Asymmetric(Asymmetric.Config(gamma_positive=1.0, margin=0.0, gamma_negative=0.5)),
    signals={"attributes": some_known},
)
def test_attribute_terms(loss, check):
    check(loss)


@loss_contract(
    RegionAlignment(),
    RegionAlignment(RegionAlignment.Config(positives="class", query="text")),
    RegionAlignment(RegionAlignment.Config(positives="class_and_site")),
    ClipInfoNCE(),
    ClipInfoNCE(ClipInfoNCE.Config(image="queries", chunk=2)),
    ClipInfoNCE(ClipInfoNCE.Config(mask_false_negatives=True)),
    UniCL(),
    UniCL(UniCL.Config(positives="class_and_site", image="queries", chunk=1)),
    SigLIP(),
    SigLIP(SigLIP.Config(positives="class", chunk=2)),
    examples=EXAMPLES,
)
def test_alignment_terms(loss, check):
    check(loss)


def some_real(shape, _):
    """Draw token masks in which each description has a first token."""
    return integers(shape, 0, 1).map(lambda drawn: torch.cat([torch.ones_like(drawn[:, :1]), drawn[:, 1:]], dim=1))


@loss_contract(
    FILIP(),
    FILIP(FILIP.Config(positives="class")),
    SPARC(),
    signals={"text_token_mask": some_real, "text_tokens": lambda shape, _: unit_vectors(shape)},
)
def test_token_terms(loss, check):
    check(loss)


@loss_contract(
    Consistency(),
    Consistency(Consistency.Config(stop_gradient="image")),
    Consistency(Consistency.Config(stop_gradient="text")),
    Consistency(Consistency.Config(divergence="kl", temperature=2.0)),
    Consistency(Consistency.Config(divergence="reverse_kl", stop_gradient="image")),
    Consistency(Consistency.Config(divergence="symmetric_kl")),
    Consistency(Consistency.Config(divergence="generalised_js", alpha=0.2)),
    examples=EXAMPLES,
)
def test_consistency_terms(loss, check):
    check(loss)


@loss_contract(Rationale())
def test_language_terms(loss, check):
    check(loss)
