"""Switching a term off changes that term and nothing else: an ablation compares components, not random draws."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml

Contents = Callable[[Path], dict[str, str]]


def parts(folder: Path) -> list[set[str]]:
    return [set(json.loads(line)["parts"]) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_dropped_term_takes_its_head_with_it(without_alignment: Any) -> None:
    statement = yaml.safe_load((without_alignment.folder / "plan.yaml").read_text())
    assert statement["dropped"] == {"losses.alignment": "disabled", "heads.project": "no remaining consumer"}
    assert not [name for name in without_alignment.start if name.startswith("heads.project")]


def test_a_dropped_term_is_not_in_the_log(full: Any, without_alignment: Any) -> None:
    assert all("alignment" in names for names in parts(full.folder))
    assert all(names == {"focal", "calibration", "rationale"} for names in parts(without_alignment.folder))


def test_what_remains_starts_from_the_same_weights(full: Any, without_alignment: Any) -> None:
    assert set(without_alignment.start) < set(full.start)
    for name, value in without_alignment.start.items():
        assert torch.equal(value, full.start[name]), name


def test_the_batches_come_in_the_same_order(full: Any, without_alignment: Any) -> None:
    assert len(full.steps) == 3
    assert without_alignment.steps == full.steps


def test_the_term_changes_what_is_learned(full: Any, without_alignment: Any, contents: Contents) -> None:
    name = "checkpoints/epoch-000/model.safetensors"
    assert contents(full.folder)[name] != contents(without_alignment.folder)[name]


def test_the_first_step_values_of_the_other_terms_do_not_change(full: Any, without_alignment: Any) -> None:
    first, other = (
        json.loads((run.folder / "log.jsonl").read_text().splitlines()[0]) for run in (full, without_alignment)
    )
    for name in ("focal", "rationale"):
        assert first["parts"][name]["value"] == other["parts"][name]["value"]


def test_weight_zero_is_the_same_run_as_disabled(
    one_epoch: Callable[..., Any], without_alignment: Any, contents: Contents
) -> None:
    zero = one_epoch("losses.alignment.weight=0")
    assert zero.folder.name == without_alignment.folder.name  # the same fingerprint
    expected, found = contents(without_alignment.folder), contents(zero.folder)
    assert expected.pop("plan.yaml") != found.pop("plan.yaml")  # it says which of the two was written
    assert found == expected


def test_enabled_false_by_set_is_the_same_plan_as_without(small: Any, without_alignment: Any) -> None:
    import skinframe

    overrides = [*small.overrides, "train.epochs=1", "losses.alignment.enabled=false"]
    assert skinframe.plan(small.recipe, overrides=overrides).run_name == without_alignment.folder.name
