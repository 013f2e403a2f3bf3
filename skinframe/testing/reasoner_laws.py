"""The laws of a reasoner, tested on its `ReasonerModule`. Each takes a reasoner and drawn inputs, and asserts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from skinframe.components import PromptText, Reasoner
from skinframe.components.base import Shape
from skinframe.data.token_padding import lay_out
from skinframe.testing.head_laws import SUPERVISION, reaches
from skinframe.testing.law_and_check import Law, Suite
from skinframe.testing.option_variants import is_digest
from skinframe.testing.reasoner_inputs import Talk, batch_of, hidden, module_of, talks

BOTH = frozenset({"hidden", "rationale_logits"})


def label_free(reasoner: Reasoner, talk: Talk) -> None:
    """It reads nothing that says the answer: no labels, attributes or targets."""
    read = SUPERVISION & {need.rpartition(".")[2] for need in reasoner.needs()}
    assert not read, f"needs names {', '.join(sorted(read))}"


def digested(reasoner: Reasoner, talk: Talk) -> None:
    """`digest` is a hex string, the same for the same options."""
    is_digest(reasoner.digest())
    assert reasoner.digest() == type(reasoner)(reasoner.config).digest(), "two of the same options differ in it"


def built(reasoner: Reasoner, talk: Talk) -> None:
    """The seed decides what is trained: two builds give the same bits, whatever the random state."""
    first, two = (module_of(reasoner, talk, state).trained_state() for state in (1, 2))
    assert first, "nothing is trained"
    assert first.keys() == two.keys(), "two builds train different parameters"
    for name in first:
        assert torch.equal(first[name], two[name]), f"'{name}' differs between two builds from one seed"


def tokenized(reasoner: Reasoner, talk: Talk) -> None:
    """`tokenize` gives the same tokens twice: the prompt first, then the target's; `pad_id` is a token."""
    module = module_of(reasoner, talk)
    for prompt, target in talk.pairs:
        row, again = module.tokenize(prompt, target), module.tokenize(prompt, target)
        assert row == again, "tokenize gives other tokens the second time"
        names = [segment.name for segment in row.segments]
        assert names[:1] == ["prompt"], f"the row begins with {names[:1]}, not with its prompt"
        assert row.prompt, "the prompt has no token"
        assert row.target, f"no token of the target {target!r}"
        assert row.without("rationale") == module.tokenize(prompt, None), "the prompt changes with its target"
        assert all(isinstance(token, int) and token >= 0 for token in row.ids), "not every token is an id"
    assert isinstance(module.pad_id, int), f"pad_id is {module.pad_id!r}, not a token"
    assert module.pad_id >= 0, f"pad_id is {module.pad_id}"


def declared(reasoner: Reasoner, talk: Talk) -> None:
    """`forward` gives the signals that are wanted and no other, with the widths of `provides`, finite."""
    module = module_of(reasoner, talk)
    batch = batch_of(module, talk)
    widths = {name: shape[-1] for name, shape in reasoner.provides().items()}
    counts = {"hidden": len(talk.pairs), "rationale_logits": len(batch["rationale_targets"])}
    for want in (BOTH & widths.keys(), frozenset({"hidden"})):
        outputs = module(batch, want)
        assert set(outputs) == want, f"gives {sorted(outputs)} where {sorted(want)} is wanted"
        for name, tensor in outputs.items():
            expected = [counts[name], widths[name]]
            assert list(tensor.shape) == expected, f"'{name}' is {list(tensor.shape)}, not {expected}"
            assert torch.isfinite(tensor).all(), f"'{name}' is not finite"


def alone(reasoner: Reasoner, talk: Talk) -> None:
    """A sample's state does not depend on its neighbours or their length: padding changes nothing."""
    module = module_of(reasoner, talk)
    together = hidden(module, batch_of(module, talk))
    for index in range(len(talk.pairs)):
        single = hidden(module, batch_of(module, talk.row(index)))
        assert _near(single[0], together[index]), f"the state of row {index} changes in company"


def class_path(reasoner: Reasoner, talk: Talk) -> None:
    """The state never sees the rationale: it is the same for another target, and for none."""
    module = module_of(reasoner, talk)
    own = hidden(module, batch_of(module, talk))
    for target in ("something else", None):
        rows = [module.tokenize(prompt, target) for prompt, _ in talk.pairs]
        state = hidden(module, {**lay_out(rows, module.pad_id), **talk.images})
        assert _near(own, state), f"the state changes with the target {target!r}"


def attentive(reasoner: Reasoner, talk: Talk) -> None:
    """The state depends on the image and on the question."""
    module = module_of(reasoner, talk)
    own = hidden(module, batch_of(module, talk))
    dark = replace(talk, images={name: torch.zeros_like(image) for name, image in talk.images.items()})
    assert not _near(own, hidden(module, batch_of(module, dark)), 1e-6), "the state is blind to the image"
    other = tuple((PromptText(system="Answer.", user="Why?"), target) for _, target in talk.pairs)
    asked = batch_of(module, replace(talk, pairs=other))
    assert not _near(own, hidden(module, asked), 1e-6), "the state is deaf to the question"


def gradient(reasoner: Reasoner, talk: Talk) -> None:
    """A gradient reaches every trained parameter, away from the adapters' own zeros."""
    module = module_of(reasoner, talk).train()
    random = torch.Generator().manual_seed(0)
    moved = {name: value + 0.02 * torch.randn(value.shape, generator=random) for name, value in _state(module).items()}
    module.load_trained_state(moved)
    outputs = module(batch_of(module, talk), BOTH & reasoner.provides().keys())
    reaches(module, outputs, random)


def saved(reasoner: Reasoner, talk: Talk) -> None:
    """Another build that takes back `trained_state` has the same bits; a state that does not fit is refused."""
    first, two = module_of(reasoner, talk), module_of(reasoner, talk, more=1)
    batch = batch_of(first, talk)
    two.load_trained_state(_state(first))
    assert torch.equal(hidden(first, batch), hidden(two, batch)), "the state differs after trained_state was taken back"
    short = dict(list(_state(first).items())[1:])
    try:
        two.load_trained_state(short)
    except ValueError:
        return
    raise AssertionError("a state with a missing key was taken without a word")


def generates(reasoner: Reasoner, talk: Talk) -> None:
    """`generate` writes one text a row, the same twice, and never reads the target."""
    module = module_of(reasoner, talk)
    with_target = module.generate(batch_of(module, talk), 4)
    bare = {**lay_out([module.tokenize(prompt, None) for prompt, _ in talk.pairs], module.pad_id), **talk.images}
    without = module.generate(bare, 4)
    assert len(without) == len(talk.pairs), f"{len(without)} texts for {len(talk.pairs)} rows"
    assert all(isinstance(text, str) for text in without), f"not texts: {without}"
    assert module.generate(bare, 4) == without, "generate writes something else the second time"
    assert with_target == without, f"with a target it writes {with_target}, without {without}"


def words(reasoner: Reasoner, talk: Talk) -> None:
    """`label_rows` gives one row [H] a word, and refuses two words that begin with the same token."""
    module = module_of(reasoner, talk)
    H = reasoner.provides()["hidden"][-1]
    rows = module.label_rows(["nevus", "melanoma"])
    assert rows.shape == (2, H), f"label_rows gives {list(rows.shape)}, not [2, {H}]"
    try:
        module.label_rows(["nevus", "nevus"])
    except ValueError:
        return
    raise AssertionError("two words with the same first token were taken")


LAWS = (
    *(label_free, digested, built, tokenized, declared, alone, class_path, attentive),
    *(gradient, saved, generates, words),
)


def reasoner_suite(shapes: Mapping[str, Shape] | None = None, examples: int = 1) -> Suite:
    """Return the suite of a reasoner; `shapes` gives, by full name, the shapes of the signals that it reads."""
    return Suite("reasoner", tuple(map(Law, LAWS)), lambda reasoner, law: talks(reasoner, shapes or {}), examples)


def _state(module: Any) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.trained_state().items()}


def _near(first: Tensor, other: Tensor, tolerance: float = 1e-4) -> bool:
    return bool((first - other).abs().max() <= tolerance * max(1.0, float(first.abs().max())))
