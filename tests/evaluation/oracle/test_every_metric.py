"""Every registered metric, and what stands beside metrics, equals its oracle on a thousand random cases."""

import of_calibration
import of_challenges
import of_classes
import of_doubt
import of_inference
import of_use
import pytest
from skinframe_derm import register_metrics

from skinframe.evaluation.metric_registration import METRICS

MODULES = (of_classes, of_calibration, of_doubt, of_challenges, of_inference, of_use)
COMPARISONS = [one for module in MODULES for one in module.COMPARISONS]


@pytest.mark.parametrize("one", COMPARISONS, ids=lambda one: f"{one.ours}-{one.package}")
def test_equals_its_oracle(one):
    for seed, gap in one.gaps():
        assert gap <= one.within, f"seed {seed}: {gap:.3g} apart"


def test_no_registered_metric_is_left_out():
    judged = {one.ours for one in COMPARISONS if one.within <= 1e-9}
    assert {kind.name for kind in (*METRICS, *register_metrics())} <= judged
