"""A balancer in the loop: its factor multiplies the recipe's weight, a resume goes on with the same bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import skinframe
from skinframe.catalog import build_catalog
from skinframe.errors import NonFiniteError, RecipeError
from skinframe.train.checkpoint import newest_checkpoint


def trainer(bench: Any, folder: Path, use: str, *more: str) -> Any:
    """Return a trainer of the small recipe from the bench's features, with a model of its own."""
    from skinframe.model.module import build_model
    from skinframe.model.objective import Objective
    from skinframe.train.training_loop import Trainer

    overrides = [*bench.small.overrides, f"balancer.use={use}", "train.gradient_norms_every=100", *more]
    plan = skinframe.plan(bench.small.recipe, overrides=overrides)
    rows, model = [*bench.rows, *bench.rows], build_model(plan, "cpu")
    folder.mkdir(exist_ok=True)
    return Trainer(plan, model, Objective(plan), bench.feed, rows, folder, bench.accelerator, lambda *_: None)


def checkpoints(trainer: Any, start: Any = None) -> Any:
    """Return the iterator of a trainer's checkpoints."""
    trainer.open(start)
    return trainer.epochs()


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("use", ["uncertainty", "gradnorm"])
def test_a_resume_goes_on_with_the_same_bits(bench: Any, tmp_path: Path, use: str) -> None:
    whole = list(checkpoints(trainer(bench, tmp_path / "whole", use)))
    first = checkpoints(trainer(bench, tmp_path / "cut", use))
    next(first)
    first.close()
    start = newest_checkpoint(tmp_path / "cut" / "checkpoints")
    again = list(checkpoints(trainer(bench, tmp_path / "cut", use), start))
    assert len(whole) == 2
    assert len(again) == 1
    for name in ("model", "optimiser", "losses", "balancer"):
        one, other = whole[1].tensors(name), again[0].tensors(name)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one), name
    assert whole[1].tensors("balancer")
    assert lines(tmp_path / "whole") == lines(tmp_path / "cut")


@pytest.mark.parametrize("use", ["uncertainty", "gradnorm"])
def test_the_factor_multiplies_the_schedule(bench: Any, tmp_path: Path, use: str) -> None:
    list(checkpoints(trainer(bench, tmp_path, use, "train.epochs=2")))
    first, second = lines(tmp_path)
    planned = {"focal": 1.0, "alignment": 0.5, "rationale": 0.2, "calibration": 0.5}
    assert all(part["factor"] == 1 for part in first["parts"].values())
    assert "value" not in first["parts"]["calibration"]  # its weight starts at 0
    for name, part in second["parts"].items():
        assert part["weight"] == planned[name] * part["factor"]
        assert (part["factor"] == 1) == (name == "calibration"), name  # nothing was learnt of it yet
    assert ("grad_norm" in second["parts"]["focal"]) == (use == "gradnorm")  # measured at every step for it alone


def test_without_a_balancer_nothing_is_multiplied_or_stored(bench: Any, tmp_path: Path) -> None:
    (checkpoint,) = checkpoints(trainer(bench, tmp_path, "none", "train.epochs=1"))
    assert checkpoint.tensors("balancer") == {}
    assert all("factor" not in part for line in lines(tmp_path) for part in line["parts"].values())
    off = skinframe.plan(bench.small.recipe, overrides=[*bench.small.overrides, "balancer.use=gradnorm"])
    assert off.parts.balancer.name == "gradnorm"
    words = [*bench.small.overrides, "balancer.use=gradnorm", "balancer.enabled=false"]
    assert skinframe.plan(bench.small.recipe, overrides=words).parts.balancer.name == "none"


def test_a_term_that_does_not_fit_is_named(bench: Any) -> None:
    from skinframe.model.objective import Objective

    plan = skinframe.plan(bench.small.recipe, overrides=[*bench.small.overrides, "balancer.use=gradnorm"])
    with pytest.raises(RecipeError, match=r"balancer: gradnorm compares .* 'focal' is -1, below 0") as found:
        Objective(plan).commit({}, {"focal": -1.0}, {"focal": 1.0})
    assert found.value.exit_code == 2


def test_a_factor_that_is_not_finite_is_named(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    objective = bench.objective(focal=1.0)
    monkeypatch.setattr(objective.balancer, "factors", lambda terms: dict.fromkeys(terms, float("nan")))
    with pytest.raises(NonFiniteError, match=r"balancer: the factor of losses\.x_focal is nan"):
        bench.step(objective, [8])


def test_a_misspelt_balancer_is_named(bench: Any) -> None:
    with pytest.raises(RecipeError, match=r"no balancer named 'gradnrom'; did you mean 'gradnorm'\?"):
        skinframe.plan(bench.small.recipe, overrides=[*bench.small.overrides, "balancer.use=gradnrom"])


def test_half_a_balancer_stays_out_of_the_catalog() -> None:
    from skinframe.catalog import Origin

    half = type("Half", (skinframe.Balancer,), {"name": "half"})
    _, problems = build_catalog([(half, Origin("here", "here", "1"))], {}, {})
    assert problems == ["Half of here 1: does not implement factors, learn"]
