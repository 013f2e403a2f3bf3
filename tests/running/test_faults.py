"""A loss that is not finite, a full disk, a machine that is too small: one message, and nothing lost."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import skinframe
import skinframe.atomic_write as durable
from skinframe.errors import DiskError, NonFiniteError, RecipeError

Contents = Callable[[Path], dict[str, str]]

LOSS = '''
import torch
import skinframe
from skinframe.signals import Labels, Logits


class Odd(skinframe.Loss):
    """Falls ill at its fourth call."""

    name = "odd"
    coupling = "per_sample"
    calls = 0

    def forward(self, logits: Logits, labels: Labels):
        type(self).calls += 1
        value = logits.square().mean()
        return {fault} if type(self).calls >= 5 else value


@skinframe.hookimpl
def register_losses():
    return [Odd]
'''


@pytest.fixture
def with_odd_loss(small: Any, tmp_path: Path) -> Callable[[str], Any]:
    def run(fault: str) -> Any:
        plugin, preset = tmp_path / "odd.py", tmp_path / "odd.yaml"
        plugin.write_text(LOSS.replace("{fault}", fault))
        preset.write_text("losses: {strange: {use: odd, weight: 0.1}}\n")
        return small.run(tmp_path / "out", plugins=[plugin], presets=[str(preset)])

    return run


def test_nan_names_the_term_and_the_samples(with_odd_loss: Callable[[str], Any], tmp_path: Path) -> None:
    with pytest.raises(NonFiniteError, match=r"losses\.strange: is nan on samples \w+") as found:
        with_odd_loss("value * float('nan')")
    assert found.value.exit_code == 4
    (folder,) = (tmp_path / "out").iterdir()
    assert durable.damage_in(folder / "checkpoints" / "epoch-000") is None  # what was complete still stands
    assert not (folder / "checkpoints" / "epoch-001").exists()
    text = str(found.value)
    import json

    ids = json.loads((folder / "split.json").read_text())["parts"]["train"]
    assert any(name in text for name in ids)


def test_an_infinite_gradient_names_the_step(with_odd_loss: Callable[[str], Any]) -> None:
    """The value is finite, its gradient is not: sqrt at 0."""
    with pytest.raises(NonFiniteError, match=r"gradient: norm is (nan|inf) at step \d+ on samples \w+"):
        with_odd_loss("(value * 0).sqrt()")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("logits.mean(1)", r"losses\.strange: .*scalar"),
        ("float(value.detach())", r"losses\.strange: .*scalar"),
        ("None", r"losses\.strange: .*scalar"),
        ("torch.zeros(3) @ torch.zeros(4)", r"losses\.strange: 'odd' raised RuntimeError"),
    ],
)
def test_a_loss_that_gives_no_scalar_is_named(with_odd_loss: Callable[[str], Any], fault: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        with_odd_loss(fault)


def full_disk(monkeypatch: pytest.MonkeyPatch, name: str, when: int = 1) -> None:
    """Let the `when`-th write of a file of this name find the disk full."""
    real, seen = durable.write_file, []

    def write(path: Path, data: bytes) -> None:
        if name in path.name:
            seen.append(path)
            if len(seen) >= when:
                path.write_bytes(data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
        real(path, data)

    monkeypatch.setattr(durable, "write_file", write)


@pytest.mark.parametrize("name", ["split.json", "optimiser", "test.parquet", "report.html"])
def test_a_full_disk_is_said_and_survived(
    small: Any, finished: Path, contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with monkeypatch.context() as patch:
        full_disk(patch, name, when=2 if name == "optimiser" else 1)
        with pytest.raises(DiskError, match=r"no space left on device; free space or choose another folder") as found:
            small.run(tmp_path)
    assert found.value.exit_code == 5
    folder = tmp_path / finished.name
    assert not list(folder.rglob("*.tmp-*"))
    small.run(tmp_path, resume=True)
    assert contents(folder) == contents(finished)


def test_a_full_disk_under_the_log(
    small: Any, finished: Path, contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is a stream: closing it tries to write again what did not fit. A real limit of the kernel, no mock."""
    import resource

    import skinframe.train.training_loop as loop

    limits, real = resource.getrlimit(resource.RLIMIT_FSIZE), loop.set_rate

    def shrinking(optimiser: Any, step: int, *rest: Any) -> float:
        if step == 4:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        return real(optimiser, step, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "set_rate", shrinking)
        try:
            with pytest.raises(DiskError, match=r"log\.jsonl: file too large; free space"):
                small.run(tmp_path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    small.run(tmp_path, resume=True)
    assert contents(tmp_path / finished.name) == contents(finished)


def test_a_folder_that_cannot_be_written(small: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises((DiskError, RecipeError), match="file"):
        small.run(tmp_path / "file")


def test_the_7b_preset_without_a_gpu_is_refused_first(small: Any, tmp_path: Path) -> None:
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has a GPU")
    with pytest.raises(RecipeError) as found:
        skinframe.run(small.recipe, presets=["qwen7b"], out=tmp_path / "out", cache=small.cache)
    first = found.value.problems[0]
    assert first.where == "gpu"
    assert "CUDA GPU" in first.what
    assert "--preset tiny" in first.what
    assert not (tmp_path / "out").exists()
