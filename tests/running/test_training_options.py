"""Options of training in whole runs: one plan run twice, gathering, precision, kept checkpoints, no training at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

import skinframe
from skinframe.errors import RecipeError
from skinframe.progress import Display
from skinframe.running.run_recipe import run


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_one_plan_run_twice_gives_the_same_bits(small: Any, contents: Any, tmp_path: Path) -> None:
    """With a term and a balancer that keep state: the second run must not begin where the first one ended."""
    words = [*small.overrides, "train.epochs=1", "balancer.use=uncertainty", "losses.calibration.weight=0.5"]
    plan = skinframe.plan(small.recipe, overrides=words)
    display = Display(quiet=True)
    first, second = (run(plan, out=tmp_path / n, cache=small.cache, display=display).folder for n in ("1", "2"))
    assert contents(first) == contents(second)
    state = load_file(first / "checkpoints" / "epoch-000" / "losses.safetensors")
    assert int(state["calibration.filled"]) > 0
    assert load_file(first / "checkpoints" / "epoch-000" / "balancer.safetensors")


def test_gathered_by_micro_batch_only_coupled_terms_differ(small: Any, tmp_path: Path) -> None:
    """In the first step, from which on the weights differ, too; the negatives of a contrastive term shrink."""
    cut = ("train.max_tokens=600", "train.epochs=1")
    step = lines(small.run(tmp_path / "step", *cut, "train.gather=step").folder)
    micro = lines(small.run(tmp_path / "micro", *cut, "train.gather=micro").folder)
    assert step[0]["micro_batches"] == micro[0]["micro_batches"] > 1
    for name in ("focal", "rationale"):
        assert micro[0]["parts"][name]["value"] == step[0]["parts"][name]["value"]
    assert micro[0]["parts"]["alignment"]["value"] < step[0]["parts"]["alignment"]["value"] - 0.1
    assert micro[-1]["parts"]["calibration"]["value"] != step[-1]["parts"]["calibration"]["value"]


def test_bf16_trains_close_to_fp32(small: Any, full: Any, tmp_path: Path) -> None:
    exact, found = lines(full.folder), lines(small.run(tmp_path, "train.epochs=1", "train.precision=bf16").folder)
    assert len(found) == len(exact)
    assert found[0]["total"] != exact[0]["total"]
    assert found[0]["total"] == pytest.approx(exact[0]["total"], rel=0.05)


def test_gradient_norms_of_terms_can_be_switched_off(small: Any, full: Any, tmp_path: Path) -> None:
    found = lines(small.run(tmp_path, "train.epochs=1", "train.gradient_norms_every=0").folder)
    assert not any(
        {"grad_norm", "grad_share", "floor"} & part.keys() for line in found for part in line["parts"].values()
    )
    assert [line["total"] for line in found] == [line["total"] for line in lines(full.folder)]


@pytest.mark.parametrize("keep", ["last_and_best", "all"])
def test_checkpoints_are_thinned_out_and_the_report_counts_every_epoch(small: Any, tmp_path: Path, keep: str) -> None:
    """A rate that is far too high after the first epoch's warm-up makes the first epoch the best."""
    words = ("train.epochs=4", "train.lr=0.3", "train.warmup=0.9", f"train.keep={keep}", "train.batch_size=32")
    folder = small.run(tmp_path, *words).folder
    history = json.loads((folder / "validation.json").read_text())
    best = min(range(4), key=lambda epoch: history[epoch]["nll"])
    stand = {path.name: (path / "optimiser.safetensors").is_file() for path in (folder / "checkpoints").iterdir()}
    if keep == "all":
        assert stand == {f"epoch-00{n}": True for n in range(4)}
    else:
        earlier = min(range(3), key=lambda epoch: history[epoch]["nll"])
        assert stand == {f"epoch-00{n}": n >= 2 for n in {2, 3, best, earlier}}
    assert json.loads((folder / "selection.json").read_text())["epoch"] == best
    report = json.loads((folder / "report.json").read_text())
    assert report.get("report", report)["headline"]["epochs"] == 4


def test_without_training_the_model_is_evaluated_as_loaded(small: Any, photograph: Path, tmp_path: Path) -> None:
    """No loss is needed, no optimiser is made and no checkpoint written; later readers open the run."""
    off = [f"losses.{name}.enabled=false" for name in ("focal", "alignment", "calibration", "rationale")]
    folder = small.run(tmp_path, "train.epochs=0", *off).folder
    assert not (folder / "checkpoints").exists()
    assert (folder / "log.jsonl").read_bytes() == b""
    assert json.loads((folder / "validation.json").read_text()) == []
    assert json.loads((folder / "selection.json").read_text())["epoch"] is None
    report = json.loads((folder / "report.json").read_text())
    headline = report.get("report", report)["headline"]
    assert (headline["epochs"], headline["chosen_epoch"]) == (0, None)
    (prediction,) = skinframe.predict(folder, [photograph])
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    with pytest.raises(RecipeError, match=r"losses: no loss is enabled"):
        skinframe.plan(small.recipe, overrides=[*small.overrides, *off])
