"""The contract kit that plugin authors import: one decorator a kind, one test a (component, check).

```python
@loss_contract(MyLoss(), MyLoss(MyLoss.Config(smoothing=0.5)))
def test_contract(loss, check):
    check(loss)
```

Needs pytest and hypothesis, which only this package imports: `pip install skinframe[testing]`.
"""

from __future__ import annotations

import pytest

# before the first import of the modules that assert, so that a failure shows its values
pytest.register_assert_rewrite(
    *(f"skinframe.testing.loss_{part}" for part in ("laws", "edges", "steps")),
    *(f"skinframe.testing.{kind}_laws" for kind in ("encoder", "reasoner", "head", "dataset", "prompt")),
    *(f"skinframe.testing.{kind}_laws" for kind in ("balancer", "metric", "calibrator", "explainer", "reduction")),
    *(f"skinframe.testing.{kind}_laws" for kind in ("column", "verb", "report_section", "tracker")),
)

from skinframe.testing.contract_decorators import (  # noqa: E402  (see above)
    balancer_contract,
    calibrator_contract,
    column_contract,
    dataset_contract,
    encoder_contract,
    explainer_contract,
    head_contract,
    loss_contract,
    metric_contract,
    prompt_contract,
    reasoner_contract,
    report_section_contract,
    tracker_contract,
    verb_contract,
)
from skinframe.testing.reduction_laws import reduction_contract  # noqa: E402
from skinframe.testing.signal_strategies import Maker, integers, tensors, unit_vectors  # noqa: E402

__all__ = [
    "Maker",
    "balancer_contract",
    "calibrator_contract",
    "column_contract",
    "dataset_contract",
    "encoder_contract",
    "explainer_contract",
    "head_contract",
    "integers",
    "loss_contract",
    "metric_contract",
    "prompt_contract",
    "reasoner_contract",
    "reduction_contract",
    "report_section_contract",
    "tensors",
    "tracker_contract",
    "unit_vectors",
    "verb_contract",
]
