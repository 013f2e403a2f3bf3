"""Where a library's own figure misleads: each test asserts both, so a release that mends a trap turns it red."""

import math

import numpy as np
import pytest
import torch
from comparing import library
from of_use import Given
from skinframe_derm.metrics.isic2024 import pauc_tpr80
from sklearn.metrics import matthews_corrcoef, roc_auc_score

from skinframe.evaluation.calibration_error import ECE
from skinframe.evaluation.conformal import fit
from skinframe.evaluation.discrimination import MCC
from skinframe.evaluation.proper_scores import BrierDSC
from skinframe.evaluation.selective_prediction import AURC
from skinframe.weighted_statistics import once


def columns(c):
    return np.stack([np.array(c), 1 - np.array(c)], axis=1)


def released(truth, scores):
    """The organisers' first file: |truth - 1| against |score - 1|."""
    turned = roc_auc_score(~truth, np.abs(scores - 1), max_fpr=0.2)
    return 0.02 + 0.18 * (turned - 0.5) / 0.5


@pytest.mark.parametrize(
    "scores", [np.array([1e-9, 2e-9, 3e-9, 4e-9], dtype=np.float32), np.array([-5.0, -1.0, 1.5, 9.0])]
)
def test_isic_2024_released_file_loses_tiny_float32_scores_and_turns_logits_round(scores):
    truth = np.array([False, False, scores.dtype != np.float32, True])
    assert once(pauc_tpr80(truth, scores), np.ones(4)) == pytest.approx(0.2, abs=1e-12)
    assert released(truth, scores) < 0.1


def test_netcal_closes_bins_on_the_left():
    """0.6, right, and 0.75, wrong: (0.5, 0.75] holds both, as Guo et al. write it."""
    p, y = columns([0.6, 0.75]), np.array([0, 1])
    assert ECE(ECE.Config(bins=4)).value(y, p, np.ones(2)) == pytest.approx(0.175)
    theirs = library("netcal.metrics").ECE(4).measure(p.max(1), np.array([1.0, 0.0]))
    assert theirs == pytest.approx(0.575)


def test_torchmetrics_answers_in_float32_whatever_it_is_given():
    found = library("torchmetrics.functional.classification").binary_auroc(
        torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64), torch.tensor([0, 1, 0])
    )
    assert found.dtype == torch.float32


def test_scikit_learn_calls_an_undefined_correlation_0():
    y, p = np.array([0, 0]), np.array([[0.9, 0.1], [0.2, 0.8]])
    assert matthews_corrcoef(y, p.argmax(1)) == 0
    assert math.isnan(MCC().value(y, p, np.ones(2)))


def test_torch_uncertainty_leaves_half_of_the_first_and_last_rate_out():
    """Rates 0, 1/2, 1/3 have the mean 5/18; its trapezoid over coverages 1/3 to 1 gives 1/3."""
    p, y = columns([0.9, 0.8, 0.7]), np.array([0, 1, 0])
    metric = library("torch_uncertainty.metrics.classification").AURC()
    metric.update(torch.from_numpy(p), torch.from_numpy(y))
    assert float(metric.compute()) == pytest.approx(1 / 3)
    assert AURC().value(y, p, np.ones(3)) == pytest.approx(5 / 18)


def test_torch_uncertainty_takes_the_tied_in_the_order_in_which_they_stand():
    p, found = columns([0.9, 0.9]), []
    for y in (np.array([0, 1]), np.array([1, 0])):
        metric = library("torch_uncertainty.metrics.classification").AURC()
        metric.update(torch.from_numpy(p), torch.from_numpy(y))
        found.append(float(metric.compute()))
        assert AURC().value(y, p, np.ones(2)) == pytest.approx(0.5)
    assert sorted(found) == pytest.approx([0.25, 0.75])


def test_mapie_lets_a_class_in_that_is_a_hundred_millionth_too_odd():
    """All calibration samples had probability 1, so only 1 is ordinary; 1 - 1e-9 is not."""
    p, y = np.eye(4)[np.arange(8) % 4], np.arange(8) % 4
    near = np.array([[1 - 1e-9, 1e-9, 0.0, 0.0]])
    model = library("mapie.classification").SplitConformalClassifier(Given(), confidence_level=0.5)
    assert model.conformalize(p, y).predict_set(near)[1][0, 0, 0]
    assert not fit(y, p, alpha=0.5).sets(near).any()


def test_model_diagnostics_ties_scores_closer_than_1e_15():
    """Its isotonic fit is scikit-learn's: a perfect order of two tiny scores counts for nothing."""
    scoring = library("model_diagnostics.scoring")
    y, s = np.array([0, 1]), np.array([1e-20, 2e-20])
    found = scoring.decompose(y.astype(float), s, scoring_function=scoring.SquaredError())
    assert found["discrimination"].item() == pytest.approx(0.0)
    both = np.stack([1 - s, s], axis=1)  # the other column is 1 in both: it tells nothing apart
    assert BrierDSC().value(y, both, np.ones(2)) == pytest.approx(0.25)
