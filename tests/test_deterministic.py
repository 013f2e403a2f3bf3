"""F4. With `train.deterministic` an operation that has no deterministic kernel is an error that names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from skinframe.device import deterministic
from skinframe.errors import RecipeError

LOSS = """
import torch

import skinframe
from skinframe.signals import Labels, Logits

class Scattered(skinframe.Loss):
    name = "scattered"
    coupling = "per_sample"

    def forward(self, logits: Logits, labels: Labels):
        flat = torch.zeros(logits.numel()).put_(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))
        return logits.square().mean() + 0 * flat.sum()

@skinframe.hookimpl
def register_losses():
    return [Scattered]
"""


def test_f4_an_operation_without_a_deterministic_kernel_is_named(small: Any, tmp_path: Path) -> None:
    plugin, preset = tmp_path / "scattered.py", tmp_path / "scattered.yaml"
    plugin.write_text(LOSS)
    preset.write_text("losses: {strange: {use: scattered, weight: 0.1}}\n")
    given = {"plugins": [plugin], "presets": [str(preset)]}
    said = r"losses\.strange: 'scattered' raised RuntimeError: put_ does not have a deterministic implementation"
    with pytest.raises(RecipeError, match=said) as found:
        small.run(tmp_path / "out", "train.deterministic=true", "train.epochs=1", **given)
    assert found.value.exit_code == 2
    assert not torch.are_deterministic_algorithms_enabled()


def test_f4_the_method_itself_runs_and_gives_the_same_bits(small: Any, full: Any, tmp_path: Path) -> None:
    folder = small.run(tmp_path, "train.deterministic=true", "train.epochs=1").folder
    assert (folder / "log.jsonl").read_bytes() == (full.folder / "log.jsonl").read_bytes()
    assert not torch.are_deterministic_algorithms_enabled()


def test_f4_outside_the_terms_it_is_named_too() -> None:
    said = r"train\.deterministic: put_ has no deterministic kernel here; leave out the part that calls it"
    with pytest.raises(RecipeError, match=said), deterministic(True, "recipe"):
        torch.zeros(2).put_(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))
    assert not torch.are_deterministic_algorithms_enabled()


def test_f4_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="size of tensor"), deterministic(True, "recipe"):
        torch.ones(2) + torch.ones(3)
    assert not torch.are_deterministic_algorithms_enabled()
