"""The step's gradient does not depend on what accelerate reads from the environment."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from skinframe.train.training_step import make_accelerator


def test_accelerate_s_variables_change_no_gradient(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    objective = bench.objective(focal=1.0, clip_infonce=0.5)
    _, expected = bench.step(objective, [3, 5])
    monkeypatch.setenv("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "4")
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    monkeypatch.setattr(bench, "accelerator", make_accelerator("fp32"))
    assert bench.accelerator.gradient_accumulation_steps == 4  # it has read the variable
    _, gradients = bench.step(objective, [3, 5])
    assert gradients.keys() == expected.keys()
    assert all(torch.equal(gradients[name], expected[name]) for name in expected)


def test_the_precision_is_the_recipe_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "fp16")
    assert make_accelerator("bf16").mixed_precision == "bf16"
    assert make_accelerator("fp32").mixed_precision == "no"
