"""The contract kit that plugin authors import: one decorator a kind, one test a (component, check).

```python
@loss_contract(MyLoss(), MyLoss(MyLoss.Config(smoothing=0.5)))
def test_contract(loss, check):
    check(loss)
```

Needs pytest and hypothesis, which only this package imports.
"""

from __future__ import annotations

import pytest

# before the first import of the modules that assert, so that a failure shows its values
pytest.register_assert_rewrite("skinframe.testing.loss_laws", "skinframe.testing.encoder_laws")

from skinframe.testing.contract import encoder_contract, loss_contract  # noqa: E402  (see above)
from skinframe.testing.draw import Maker, integers, tensors, unit_vectors  # noqa: E402

__all__ = ["Maker", "encoder_contract", "integers", "loss_contract", "tensors", "unit_vectors"]
