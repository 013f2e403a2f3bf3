"""The suite of every kind, with its own default inputs."""

from __future__ import annotations

from skinframe.testing.balancer_laws import BALANCER
from skinframe.testing.calibrator_laws import CALIBRATOR
from skinframe.testing.dataset_laws import DATASET
from skinframe.testing.encoder_laws import ENCODER
from skinframe.testing.explainer_laws import EXPLAINER
from skinframe.testing.head_laws import head_suite
from skinframe.testing.law import Suite
from skinframe.testing.losses import loss_suite
from skinframe.testing.metric_laws import METRIC
from skinframe.testing.prompt_laws import prompt_suite
from skinframe.testing.reasoner_laws import reasoner_suite


def suites() -> dict[str, Suite]:
    """Return one suite a kind, by its name."""
    found = (loss_suite(), ENCODER, reasoner_suite(), head_suite(), DATASET, prompt_suite())
    return {suite.kind: suite for suite in (*found, BALANCER, METRIC, CALIBRATOR, EXPLAINER)}
