"""Options are checked when they are made, and importing the plugin is light."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
import skinframe_cfa
import torch
from skinframe_cfa.classification.adaptive_focal import FLSD, AdaptiveFocal
from skinframe_cfa.classification.cross_entropy import CrossEntropy
from skinframe_cfa.classification.focal import Focal
from skinframe_cfa.classification.label_smoothing import LabelSmoothing

NAMES = [
    *("adaptive_focal", "asymmetric", "cross_entropy", "flsd", "focal", "label_smoothing", "ldam", "logit_adjustment"),
    *("clip_infonce", "filip", "region_alignment", "region_mask", "siglip", "sparc", "unicl"),
    *("acls", "brier", "confidence_penalty", "correctness_ranking", "dca", "kde_ece", "mbls", "mdca", "mmce"),
    *("smooth_ece", "soft_ece", "weighted_mmce"),
    *("consistency", "rationale"),
]

WRONG = [
    (Focal, {"gamma": -0.1}, "gamma"),
    (Focal, {"gamma": float("nan")}, "gamma"),
    (Focal, {"beta": 1.0}, "beta"),
    (CrossEntropy, {"class_weights": "balanced"}, "class_weights must be one of"),
]


@pytest.mark.parametrize(("loss", "options", "message"), WRONG)
def test_options_out_of_range_are_refused(loss, options, message):
    with pytest.raises(ValueError, match=message):
        loss.Config(**options)


def test_every_term_is_registered_under_its_name():
    assert sorted(loss.name for loss in skinframe_cfa.register_losses()) == sorted(NAMES)


@pytest.mark.parametrize("loss", skinframe_cfa.register_losses(), ids=lambda loss: loss.name)
def test_options_are_frozen_and_go_by_name(loss):
    fields = dataclasses.fields(loss.Config)
    assert loss.Config.__dataclass_params__.frozen
    assert all(field.kw_only for field in fields)


def test_importing_and_building_every_term_loads_no_torch():
    code = (
        "import sys, skinframe_cfa\n"
        "from skinframe.signals import needs\n"
        "for loss in skinframe_cfa.register_losses():\n"
        "    loss(loss.Config()); needs(loss.forward)\n"
        "heavy = {'torch', 'transformers', 'open_clip', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("kind", [AdaptiveFocal, CrossEntropy, FLSD, Focal, LabelSmoothing])
def test_a_term_weighs_by_its_own_scheme_and_beta(kind):
    """β = 1/2 and counts 1 and 2 give 1.2 and 0.8; a batch is the mean of its weighted samples."""
    counts, labels = torch.tensor([1, 2]), torch.tensor([0, 1])
    logits = torch.tensor([[1.0, 0.0], [1.0, 0.5]], dtype=torch.float64)
    term = kind(kind.Config(class_weights="effective_number", beta=0.5))
    plain = kind(kind.Config(class_weights="none"))
    rows = [plain.forward(logits[i : i + 1], labels[i : i + 1]).item() for i in (0, 1)]
    assert term.forward(logits, labels, counts).item() == pytest.approx((1.2 * rows[0] + 0.8 * rows[1]) / 2)
    assert term.derived([1, 2])["class weight"] == pytest.approx([1.2, 0.8])
    assert "class weight" not in plain.derived([1, 2])
