"""The suite of a loss: which laws hold for which coupling class and for which inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hypothesis import strategies as st

from skinframe.components import Loss
from skinframe.signals import needs
from skinframe.testing import loss_edge_case_laws, loss_gradient_laws, loss_invariance_laws
from skinframe.testing.law_and_check import Law, Suite
from skinframe.testing.loss_case import SCORES, Case, cases, normaliser, optional_inputs, sample_dim
from skinframe.testing.signal_strategies import Maker


def _reads(loss: Loss, names: Iterable[str]) -> bool:
    return any(need.signal.name in names for need in needs(type(loss).forward))


def _countable(loss: Loss) -> bool:
    """Every loss; raises AssertionError for one whose terms nothing in a batch counts."""
    return bool(sample_dim(loss))


def _has_classes(loss: Loss) -> bool:
    return any("C" in need.signal.dims.split() for need in needs(type(loss).forward))


def _names_classes(loss: Loss) -> bool:
    return _has_classes(loss) and _reads(loss, ["labels"])


def _maskable(loss: Loss) -> bool:
    return _reads(loss, [normaliser(loss).name])


LAWS: tuple[Law, ...] = (
    Law(loss_invariance_laws.scalar, applies=_countable),
    Law(loss_invariance_laws.pure),
    Law(loss_invariance_laws.sample_order, least=1),
    Law(loss_invariance_laws.class_order, applies=_has_classes),
    Law(loss_invariance_laws.shift, applies=lambda loss: _reads(loss, SCORES)),
    Law(loss_edge_case_laws.masked, applies=_maskable, least=1),
    Law(loss_edge_case_laws.masked_nan, applies=_maskable, least=1),
    Law(loss_edge_case_laws.all_masked, applies=_maskable),
    Law(loss_edge_case_laws.finite),
    Law(loss_edge_case_laws.upcast, least=1),
    Law(loss_edge_case_laws.single_sample, least=1, share=0.5),
    Law(loss_edge_case_laws.single_class, applies=_names_classes, least=2, share=0.5),
    Law(loss_edge_case_laws.empty_class, applies=_names_classes, least=2, share=0.5),
    Law(loss_gradient_laws.gradient, least=1, share=0.25),
    Law(loss_invariance_laws.additive, applies=lambda loss: loss.coupling == "per_sample", least=2),
    Law(loss_invariance_laws.pairwise, applies=lambda loss: loss.coupling == "pairwise_additive", least=3),
    Law(loss_invariance_laws.deterministic),
    Law(loss_gradient_laws.descent, least=1),
    Law(loss_gradient_laws.resume, least=2),
)


def loss_suite(signals: Mapping[str, Maker] | None = None, examples: int = 15) -> Suite:
    """Return the suite of a loss; `signals` draws those that the kit does not know by name."""
    own = signals or {}

    def draw(loss: Loss, law: Law) -> st.SearchStrategy[Case]:
        return cases(loss, own, law.least)

    def without(loss: Loss, law: Law) -> list[st.SearchStrategy[Case]]:
        """Inputs without the optional signals: all of them left out, and each one alone."""
        optional = optional_inputs(loss)
        sets = [optional, *([name] for name in optional if len(optional) > 1)]
        return [cases(loss, own, law.least, left_out) for left_out in sets if left_out]

    return Suite("loss", LAWS, draw, examples, without)
