"""B. Numbers that are not finite, memory that is not there: the run stops and says why, or goes on as it would have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import skinframe.atomic_write as durable
from skinframe.errors import NonFiniteError, RecipeError

LOSS = '''
import skinframe
from skinframe.signals import Labels, Logits

class Odd(skinframe.Loss):
    """Ill where a sample's first logit is the one that was chosen."""

    name = "odd_numbers"
    coupling = "per_sample"
    calls = 0

    def forward(self, logits: Logits, labels: Labels):
        type(self).calls += 1
        value = logits.square().mean()
        bad = labels.eq(BAD_LABEL).any()
        return FAULT if type(self).calls > 4 and bad else value

@skinframe.hookimpl
def register_losses():
    return [Odd]
'''


@pytest.fixture
def ill(small: Any, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that runs with a loss that is not finite for class 0 from its fifth call on."""

    def run(fault: str) -> Path:
        plugin, preset = tmp_path / f"odd{abs(hash(fault))}.py", tmp_path / "odd.yaml"
        plugin.write_text(LOSS.replace("FAULT", fault).replace("BAD_LABEL", "0"))
        preset.write_text("losses: {strange: {use: odd_numbers, weight: 0.1}}\n")
        with pytest.raises(NonFiniteError, match="diagnosis in") as found:
            small.run(tmp_path / "out", plugins=[plugin], presets=[str(preset)])
        assert found.value.exit_code == 4
        (folder,) = (path for path in (tmp_path / "out").iterdir() if path.is_dir())
        return Path(folder)

    return run


@pytest.mark.parametrize("fault", ["value * float('nan')", "value * float('inf')", "(value * 0).sqrt()"])
@pytest.mark.gate("B1")
def test_b1_the_bundle_names_the_samples(ill: Callable[[str], Path], fault: str) -> None:
    """A value that is not a number, an infinite one, and a finite one with an infinite gradient."""
    folder = ill(fault)
    (bundle,) = folder.glob("diagnosis-step-*.json")
    found = json.loads(bundle.read_text())
    named = {sample["id"] for batch in found["micro_batches"] for sample in batch["samples"]}
    assert 0 < len(found["not_finite_alone"]) < len(named)
    assert set(found["not_finite_alone"]) <= named
    assert {"message", "step", "epoch", "weights", "last_checkpoint"} <= found.keys()
    assert all(isinstance(batch["seed"], int) for batch in found["micro_batches"])
    assert set(found["micro_batches"][0]["terms"]) == {"focal", "alignment", "calibration", "rationale", "strange"}
    last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    assert last["diagnosis"] == bundle.name
    assert "nan" in last["not_finite"] or "inf" in last["not_finite"]
    if found["last_checkpoint"] is not None:
        assert durable.damage_in(folder / "checkpoints" / found["last_checkpoint"]) is None


@pytest.mark.gate("B1")
def test_b1_a_feature_that_is_not_finite_names_its_sample(tmp_path: Path) -> None:
    from features_small import Pictures, Small, SmallTower, extract

    class Ill(SmallTower):
        def images(self, images: Any) -> Any:
            found = {name: value.clone() for name, value in super().images(images).items()}
            found["image_tokens"][2, 1, 1] = float("nan")
            return found

    encoder = Small()
    encoder.load = lambda device: Ill(0)  # type: ignore[method-assign]
    with pytest.raises(NonFiniteError, match=r"image_tokens of sample 2 \(image [0-9a-f]{16}"):
        extract(encoder, Pictures(5), tmp_path)
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.fixture
def short_of_memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """Let every forward pass of more than so many padded tokens run out of memory, as an allocator says it."""

    def limit(most: int) -> list[int]:
        import skinframe.model.module as module

        real, refused = module.Model.forward, []

        def forward(self: Any, batch: Any, want: Any = None, given: Any = None) -> Any:
            size = batch["token_ids"].numel()
            if size > most and self.training:
                refused.append(size)
                raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {size} tokens")
            return real(self, batch, want, given)

        monkeypatch.setattr(module.Model, "forward", forward)
        return refused

    return limit


def log_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_b2_too_little_memory_cuts_the_step_and_keeps_the_loss(
    small: Any, tmp_path: Path, short_of_memory: Callable[[int], list[int]], caplog: pytest.LogCaptureFixture
) -> None:
    """The log is that of a run configured at the smaller size, to the bit."""
    whole = log_of(small.run(tmp_path / "whole", "train.epochs=1").folder)
    refused = short_of_memory(900)
    folder = small.run(tmp_path / "short", "train.epochs=1").folder
    found = log_of(folder)
    assert refused
    assert "out of memory; micro-batches of at most" in caplog.text
    assert [line["samples"] for line in found] == [line["samples"] for line in whole]  # the same effective batch
    assert min(line["micro_batches"] for line in found[:-1]) > 1
    state = json.loads((folder / "checkpoints" / "epoch-000" / "state.json").read_text())
    budget = state["tokens"]
    assert budget < 2000
    configured = small.run(tmp_path / "configured", "train.epochs=1", f"train.max_tokens={budget}").folder
    assert found == log_of(configured)


def test_b2_no_memory_for_one_sample_is_advice(
    small: Any, tmp_path: Path, short_of_memory: Callable[[int], list[int]]
) -> None:
    short_of_memory(1)
    with pytest.raises(RecipeError, match=r"one sample at a time does not fit at step 0; take a smaller model"):
        small.run(tmp_path, "train.epochs=1")


def test_memory_is_recognised_behind_other_errors() -> None:
    from skinframe.train.step_guards import is_memory

    outer = RecipeError("objective", [])
    outer.__cause__ = RuntimeError("[enforce fail at alloc_cpu.cpp:75] DefaultCPUAllocator: can't allocate memory")
    assert is_memory(outer)
    assert not is_memory(RuntimeError("shapes do not match"))
    assert not is_memory(NonFiniteError("memory"))
