"""Inputs for the laws of a reasoner: drawn questions with images, and the module built to answer them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from skinframe.components import BuildContext, PromptText, Reasoner
from skinframe.components.base import Shape
from skinframe.data.token_padding import lay_out

QUESTIONS = ("Which class?", "Age 60, sex male. Which class is this lesion?", "Site back. Name it.")
TARGETS = ("nevus", "Findings: streaks. Assessment: melanoma.", "an even colour")
TOKENS: Shape = (16, 24)  # image tokens of an encoder: a square grid


@dataclass(frozen=True, repr=False)
class Talk:
    """Questions with target rationales, the context to build in, and the image signals [B, ...]."""

    pairs: tuple[tuple[PromptText, str], ...]
    context: BuildContext
    images: Mapping[str, Tensor]

    def __repr__(self) -> str:
        texts = "\n".join(f"  {prompt.user!r} -> {target!r}" for prompt, target in self.pairs)
        return f"seed {self.context.seed}, reads {dict(self.context.shapes)}\n{texts}"

    def row(self, index: int) -> Talk:
        """Return the conversation with one of its rows alone."""
        images = {name: image[index : index + 1] for name, image in self.images.items()}
        return replace(self, pairs=self.pairs[index : index + 1], images=images)


def talks(reasoner: Reasoner, shapes: Mapping[str, Shape]) -> st.SearchStrategy[Talk]:
    """Draw 2 or 3 questions of different lengths with their targets, and image tokens."""

    @st.composite
    def build(draw: st.DrawFn) -> Talk:
        count, seed = draw(st.integers(2, 3)), draw(st.integers(0, 2**31))
        texts = zip(draw(st.permutations(QUESTIONS)), draw(st.permutations(TARGETS)), strict=True)
        pairs = tuple((PromptText(system="You are a dermatologist.", user=q), target) for q, target in texts)[:count]
        read_shapes = {need: _shape(reasoner, need, shapes) for need in reasoner.needs()}
        random = torch.Generator().manual_seed(seed)
        images = {need: torch.randn(count, *shape, generator=random) for need, shape in read_shapes.items()}
        return Talk(pairs, BuildContext(classes=("mel", "nv"), shapes=read_shapes, seed=seed), images)

    return build()


def module_of(reasoner: Reasoner, talk: Talk, state: int = 0, more: int = 0) -> Any:
    """Build the module in evaluation mode, in a random state of its own."""
    context = replace(talk.context, seed=talk.context.seed + more)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(state)
        return reasoner.build(context).eval()


def batch_of(module: Any, talk: Talk) -> dict[str, Tensor]:
    """Tokenize the questions with their targets, lay them out, and put the image signals beside."""
    rows = [module.tokenize(prompt, target) for prompt, target in talk.pairs]
    return {**lay_out(rows, module.pad_id), **talk.images}


def hidden(module: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Return the state at the answer position [B, H]."""
    with torch.no_grad():
        state: Tensor = module(batch, frozenset({"hidden"}))["hidden"]
    return state


def _shape(reasoner: Reasoner, need: str, shapes: Mapping[str, Shape]) -> Shape:
    instance, _, signal = need.rpartition(".")
    brought = reasoner.brings()
    if need in shapes:
        return shapes[need]
    return brought[instance].provides()[signal] if instance in brought else TOKENS
