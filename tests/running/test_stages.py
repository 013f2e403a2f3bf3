"""Training in stages: each trains its own parts with its own optimiser and schedule; the rest keeps its bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import skinframe
from skinframe.errors import RecipeError

STAGES = """
stages:
  - {parts: [reasoner.connector], epochs: 2, lr: 5.0e-3, warmup: 0.25}
  - {parts: [heads.classify, heads.project], epochs: 1, by: brier}
train: {keep: all}
"""


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("preset") / "stages.yaml"
    path.write_text(STAGES)
    return str(path)


@pytest.fixture(scope="module")
def staged(small: Any, preset: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return the folder of a run in two stages, and the lines that it said."""
    from skinframe.progress import Display

    said: list[str] = []

    class Kept(Display):
        def say(self, line: str) -> None:
            said.append(line)

    plan = skinframe.plan(small.recipe, presets=[preset], overrides=small.overrides)
    from skinframe.running.run_recipe import run

    out = tmp_path_factory.mktemp("staged")
    return run(plan, out=out, cache=small.cache, display=Kept(quiet=True)).folder, said


def weights(folder: Path, epoch: int) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoints" / f"epoch-{epoch:03d}" / "model.safetensors")


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    """Return the parts in which some bit changed."""
    names = {name for name in before if not torch.equal(before[name], after[name])}
    return {".".join(name.split(".")[:2]) for name in names}


def test_each_stage_moves_its_parts_and_the_others_keep_their_bits(
    small: Any, preset: str, staged: tuple[Path, list[str]]
) -> None:
    from skinframe.model.module import build_model

    folder, _ = staged
    plan = skinframe.plan(small.recipe, presets=[preset], overrides=small.overrides)
    start, epochs = build_model(plan, "cpu").trained_state(), [weights(folder, epoch) for epoch in range(3)]
    assert moved(start, epochs[0]) == {"reasoner.connector"}
    assert moved(epochs[0], epochs[1]) == {"reasoner.connector"}
    assert moved(epochs[1], epochs[2]) - {"reasoner.connector"} == {"heads.classify", "heads.project"}
    adapters = [name for name in start if name.startswith("reasoner.") and ".connector" not in name]
    assert adapters
    assert all(torch.equal(start[name], epochs[2][name]) for name in adapters)  # in no stage


def test_the_second_stage_starts_from_the_best_epoch_of_the_first(staged: tuple[Path, list[str]]) -> None:
    folder, _ = staged
    history = json.loads((folder / "validation.json").read_text())
    best = min((0, 1), key=lambda epoch: history[epoch]["nll"])
    last, chosen = weights(folder, 2), weights(folder, best)
    connector = [name for name in last if name.startswith("reasoner.connector")]
    assert connector
    assert all(torch.equal(last[name], chosen[name]) for name in connector)
    selection = json.loads((folder / "selection.json").read_text())
    assert (selection["epoch"], selection["by"]) == (2, "brier")  # of the last stage, by its own metric


def test_schedule_optimiser_and_loss_weights_begin_with_the_stage(staged: tuple[Path, list[str]]) -> None:
    folder, _ = staged
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(len(lines)))
    first, second = ([line for line in lines if line["stage"] == stage] for stage in (0, 1))
    assert [line["epoch"] for line in second] == [2] * len(second)
    assert len(first) == 2 * len(second)
    ramp = round(0.25 * len(first))
    assert [line["rate"] for line in first[:ramp]] == [(step + 1) / ramp for step in range(ramp)]
    assert second[0]["rate"] == 1.0
    for stage in (first, second):
        assert stage[0]["parts"]["calibration"]["weight"] == 0.0  # its ramp takes one epoch of the stage
    assert first[len(second)]["parts"]["calibration"]["weight"] == 0.5
    states = [json.loads((folder / "checkpoints" / f"epoch-00{n}" / "state.json").read_text()) for n in range(3)]
    assert [state["stage"] for state in states] == [0, 0, 1]
    assert [state["stage_step"] for state in states] == [0, 0, len(first)]
    assert [len(state["validation"]) for state in states] == [0, 1, 2]
    moments = load_file(folder / "checkpoints" / "epoch-002" / "optimiser.safetensors")
    steps = {float(value) for name, value in moments.items() if name.endswith(".step")}
    assert steps == {float(len(second))}


def test_plan_and_log_name_the_parts_of_each_stage_and_the_frozen_ones(
    small: Any, preset: str, staged: tuple[Path, list[str]]
) -> None:
    from skinframe.planning.cost_estimate import sizes
    from skinframe.planning.plan_text import plan_text

    plan = skinframe.plan(small.recipe, presets=[preset], overrides=small.overrides)
    text = plan_text(plan, sizes(plan)).splitlines()
    lines = [line for line in text if line.startswith(("stage ", "frozen in"))]
    assert len(lines) == 3
    assert lines[0].startswith("stage 1: reasoner.connector (")
    assert lines[0].endswith("parameters); 2 epochs, lr 0.005, best by nll")
    assert lines[1].startswith("stage 2: heads.classify, heads.project (")
    assert lines[1].endswith("parameters); 1 epoch, lr 0.001, best by brier")
    assert lines[2] == "frozen in every stage: reasoner.adapter"
    _, said = staged
    assert set(lines) == {line for line in said if line.startswith(("stage ", "frozen in"))}


@pytest.mark.parametrize("stage", [0, pytest.param(1, marks=pytest.mark.long)])
def test_killed_inside_a_stage_it_resumes_to_the_same_bits(
    small: Any, preset: str, staged: tuple[Path, list[str]], contents: Any, environment: Any, tmp_path: Path, stage: int
) -> None:
    """A process of its own, killed by SIGKILL right after a checkpoint in the middle of an epoch of the stage."""
    import signal
    import subprocess
    import sys

    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    words = [str(stage), *small.words(tmp_path / "out", "--preset", preset, "--set", "train.save_every=2")]
    ended = subprocess.run([sys.executable, str(script), *words], env=environment, capture_output=True, timeout=600)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    (folder,) = (tmp_path / "out").iterdir()
    newest = max(folder.glob("checkpoints/epoch-*-at-*"))
    assert json.loads((newest / "state.json").read_text())["stage"] == stage
    small.run(tmp_path / "out", "train.save_every=2", presets=[preset], resume=True)
    whole, _ = staged
    different = {name for name, digest in contents(folder).items() if contents(whole).get(name) != digest}
    assert different <= {"plan.yaml"}  # it states `save_every`
    assert contents(folder).keys() == contents(whole).keys()


KILLED = """
import os, signal, sys
import skinframe.train.training_loop as loop
from skinframe.cli import main

stage, real = int(sys.argv.pop(1)), loop.save_checkpoint

def save(folder, epoch, tensors, state, position=None):
    made = real(folder, epoch, tensors, state, position)
    if state["stage"] == stage and position is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return made

loop.save_checkpoint = save
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (
            "[{parts: [heads.clasify]}]",
            r"stages\.0\.parts: 'heads\.clasify' is no trained part of this recipe; did you mean 'heads\.classify'\?",
        ),
        ("[{}, {parts: [reasoner.conector]}]", r"stages\.1\.parts: .*did you mean 'reasoner\.connector'\?"),
        ("[{epochs: 1, by: nl}]", r"stages\.0\.by: 'nl' is not among the recipe's metrics; did you mean 'nll'\?"),
        ("[{epoch: 1}]", r"stages\.0\.epoch: no such key; did you mean 'epochs'\?"),
        ("[{lr: -1}]", r"stages\.0: lr, head_lr and connector_lr must be positive"),
        ("[{warmup: 1}]", r"stages\.0: warmup is a share"),
        ("[{patience: -1}]", r"stages\.0: patience must be at least 0"),
        ("{parts: [heads]}", r"stages: expected a list"),
    ],
)
def test_a_mistake_in_a_stage_is_named_with_the_plan(small: Any, stages: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        skinframe.plan(small.recipe, overrides=[*small.overrides, f"stages={stages}"])


def test_without_stages_the_fingerprint_is_what_it_was(small: Any) -> None:
    identity = skinframe.plan(small.recipe, overrides=small.overrides).identity
    assert not {"stages", "select.stages", "train.keep"} & identity.keys()
    staged = skinframe.plan(small.recipe, overrides=[*small.overrides, "stages=[{epochs: 1}]"])
    assert {"stages", "select.stages"} <= staged.identity.keys()


def test_what_a_stage_leaves_out_is_as_train_and_select_say() -> None:
    from skinframe.recipe.recipe_schema import Select, Stage, Train

    train, select = Train(epochs=7, lr=0.5, clip=3.0), Select(by="acc", mode="max", patience=4)
    whole = Stage().plan(train, select)
    assert (whole.parts, whole.train, whole.select) == ((), train, select)
    own = Stage(parts=["heads"], epochs=2, head_lr=0.1, by="nll", patience=0).plan(train, select)
    assert own.parts == ("heads",)
    assert (own.train.epochs, own.train.lr, own.train.head_lr, own.train.clip) == (2, 0.5, 0.1, 3.0)
    assert (own.select.by, own.select.mode, own.select.patience) == ("nll", None, 0)
