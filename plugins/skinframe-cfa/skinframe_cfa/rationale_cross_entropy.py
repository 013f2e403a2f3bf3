"""Token cross entropy of the written rationale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import skinframe
from skinframe.signals import RationaleLogits, RationaleTargets
from skinframe_cfa.classification.cross_entropy import cross_entropy

if TYPE_CHECKING:
    from torch import Tensor


class Rationale(skinframe.Loss):
    """Token cross entropy of the target rationale: (1/T) Σ_t −log p_t(target_t).

    rationale_logits [T, L], rationale_targets [T] (negative: masked), flattened over the batch, so that every token of
    an optimiser step weighs the same. A batch without a rationale (T = 0) gives 0 with a zero gradient.
    """

    name = "rationale"
    coupling = "per_sample"
    normalise_by = "rationale_targets"

    def forward(self, rationale_logits: RationaleLogits, rationale_targets: RationaleTargets) -> Tensor:
        return cross_entropy(rationale_logits, rationale_targets)
