"""The laws of an explainer. Each takes an explainer and a drawn linear model that looks at one patch only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from skinframe.components import Explainer
from skinframe.testing.law_and_check import Law, Suite


class Planted(nn.Module):
    """Logits [B, C] from image tokens [B, P, V], linear in one patch and blind to the others."""

    def __init__(self, patch: int, weight: Tensor) -> None:
        super().__init__()
        self.patch = patch
        self.weight = nn.Parameter(weight)

    def forward(self, image_tokens: Tensor) -> Tensor:
        return image_tokens[:, self.patch] @ self.weight


@dataclass(frozen=True, repr=False)
class PlantedScene:
    """A model, image tokens [B, P, V] and the classes [B] to explain."""

    model: Planted
    image_tokens: Tensor
    classes: Tensor

    def __repr__(self) -> str:
        B, P, V = self.image_tokens.shape
        where = f"a linear model that reads patch {self.model.patch} alone, and tokens [{B} {P} {V}]"
        return f"{where}, explained for the classes {self.classes.tolist()}"


def scenes() -> st.SearchStrategy[PlantedScene]:
    """Draw 2 to 4 samples, 2 to 9 patches of width 2 to 5, 2 to 4 classes and the patch that counts."""
    sizes = (st.integers(2, 4), st.integers(2, 9), st.integers(2, 5), st.integers(2, 4))
    return st.builds(_scene, *sizes, st.integers(0, 2**32 - 1))


def heat(explainer: Explainer, scene: PlantedScene) -> None:
    """Heat is [B, P], finite, not negative, and carries no gradient."""
    maps = _explained(explainer, scene)
    expected = scene.image_tokens.shape[:2]
    assert maps.shape == expected, f"heat has shape {tuple(maps.shape)}, not {tuple(expected)}"
    assert torch.isfinite(maps).all(), "heat is not finite"
    assert (maps >= 0).all(), f"heat is negative: {maps.min()}"
    assert not maps.requires_grad, "heat carries a gradient"


def deterministic(explainer: Explainer, scene: PlantedScene) -> None:
    """Two calls give the same bits."""
    assert torch.equal(_explained(explainer, scene), _explained(explainer, scene)), "two calls differ"


def planted(explainer: Explainer, scene: PlantedScene) -> None:
    """In a model that reads one patch only, that patch is the hottest."""
    maps = _explained(explainer, scene)
    hottest = maps.argmax(dim=1)
    assert (hottest == scene.model.patch).all(), f"hottest are {hottest.tolist()}, planted was {scene.model.patch}"
    assert (maps.amax(dim=1) > 0).all(), "no heat anywhere"


def alone(explainer: Explainer, scene: PlantedScene) -> None:
    """A sample's heat does not depend on its neighbours in the batch."""
    together = _explained(explainer, scene)
    single = explainer.explain(scene.model, scene.image_tokens[1:2], scene.classes[1:2])
    assert torch.allclose(single[0], together[1], atol=1e-9), f"{single[0]} alone, {together[1]} in company"


def pure(explainer: Explainer, scene: PlantedScene) -> None:
    """The image tokens are left as they were, and ask for no gradient."""
    before = scene.image_tokens.clone()
    _explained(explainer, scene)
    assert torch.equal(before, scene.image_tokens), "the image tokens were changed"
    assert not scene.image_tokens.requires_grad, "the image tokens were made to ask for a gradient"


def quiet(explainer: Explainer, scene: PlantedScene) -> None:
    """No gradient is left behind in the model's parameters, where the next training step would add it."""
    _explained(explainer, scene)
    assert scene.model.weight.grad is None, "a gradient was left in the model's weight"


LAWS = (heat, deterministic, planted, alone, pure, quiet)
EXPLAINER = Suite("explainer", tuple(map(Law, LAWS)), lambda explainer, law: scenes(), examples=8)


def _scene(B: int, P: int, V: int, C: int, seed: int) -> PlantedScene:
    random = torch.Generator().manual_seed(seed)
    weight = torch.randn(V, C, generator=random, dtype=torch.float64)
    tokens = torch.randn(B, P, V, generator=random, dtype=torch.float64)
    patch, classes = torch.randint(P, (), generator=random), torch.randint(C, (B,), generator=random)
    return PlantedScene(Planted(int(patch), weight), tokens, classes)


def _explained(explainer: Explainer, scene: PlantedScene) -> Tensor:
    return explainer.explain(scene.model, scene.image_tokens, scene.classes)
