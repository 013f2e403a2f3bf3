"""The fused head: what each of its readings adds, and what it leaves out in training."""

from __future__ import annotations

import pytest
import torch

from skinframe.components import BuildContext
from skinframe.model._head_modules import FusedModule
from skinframe.model.heads import Fused

SIGNALS = {"hidden": torch.randn(64, 6), "image_embedding": torch.randn(64, 5), "metadata": torch.rand(64, 4)}
SHAPES = {name: tuple(tensor.shape[1:]) for name, tensor in SIGNALS.items()}


def head(**options: float | bool) -> FusedModule:
    torch.manual_seed(0)
    built = Fused(Fused.Config(**options)).build(BuildContext(classes=("a", "b", "c"), shapes=SHAPES, seed=0))  # type: ignore[arg-type]
    assert isinstance(built, FusedModule)
    if built.told is not None:  # as after some training: it starts at zero
        torch.nn.init.normal_(built.told.weight)
    return built


def logits(module: FusedModule, **changed: torch.Tensor) -> torch.Tensor:
    return module({**SIGNALS, **changed})["logits"]


def test_the_readings_are_added() -> None:
    module = head(metadata=True).eval()
    assert module.told is not None
    state, image = module.state(SIGNALS)["logits"], module.image(SIGNALS)["logits"]
    torch.testing.assert_close(logits(module), state + image + SIGNALS["metadata"] @ module.told.weight.T)


def test_metadata_is_read_where_it_is_asked_for_only() -> None:
    other = torch.rand(64, 4)
    assert Fused().needs() == ("hidden", "image_embedding")
    assert torch.equal(logits(head().eval()), logits(head().eval(), metadata=other))
    assert not torch.equal(logits(head(metadata=True).eval()), logits(head(metadata=True).eval(), metadata=other))


def test_data_without_fields_are_refused_in_words() -> None:
    context = BuildContext(classes=("a", "b"), shapes={**SHAPES, "metadata": (0,)}, seed=0)
    with pytest.raises(ValueError, match="no metadata fields to read; leave `metadata` out"):
        Fused(Fused.Config(metadata=True)).build(context)


def test_some_training_samples_are_judged_without_the_state_and_no_others_are() -> None:
    """Dropout as first written (Srivastava et al. 2014, JMLR 15): whole in training, weighed by its share later."""
    module = head(state_dropout=0.5).train()
    alone, both = module.image(SIGNALS)["logits"], module.state(SIGNALS)["logits"] + module.image(SIGNALS)["logits"]
    found = logits(module)
    without = (found == alone).all(dim=1)
    assert 16 < int(without.sum()) < 48
    assert torch.equal(found[~without], both[~without])
    torch.testing.assert_close(logits(module.eval()), (alone + both) / 2)
