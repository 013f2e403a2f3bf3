"""What a finished run leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import safetensors.numpy
import yaml

TERMS = ("focal", "alignment", "calibration", "rationale")


@pytest.fixture(scope="module")
def lines(finished: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]


def test_the_folder_holds_what_the_design_promises(finished: Path) -> None:
    names = {path.relative_to(finished).as_posix() for path in finished.rglob("*") if path.is_file()}
    top = {"plan.yaml", "log.jsonl", "rationales.jsonl", "metrics.json", "report.json", "report.html", "split.json"}
    assert top <= names
    assert {"predictions/valid.parquet", "predictions/test.parquet", "validation.json", "selection.json"} <= names
    for epoch in ("000", "001"):
        folder = f"checkpoints/epoch-{epoch}"
        assert {f"{folder}/MANIFEST.json", f"{folder}/model.safetensors", f"{folder}/state.json"} <= names
    assert not [name for name in names if ".tmp-" in name]


def test_the_name_is_the_recipe_and_the_fingerprint(finished: Path) -> None:
    statement = yaml.safe_load((finished / "plan.yaml").read_text())
    assert finished.name == f"small-{statement['fingerprint'][:8]}"
    assert statement["recipe"]["train"]["weight_decay"] == 0.01  # every default is filled in
    assert statement["recipe"]["losses"]["focal"]["config"]["gamma"] == 2.0
    assert statement["origins"]["losses.focal"].startswith("skinframe-cfa ")


def test_class_weights_are_shown_beside_the_run_and_in_its_report(finished: Path) -> None:
    found = json.loads((finished / "derived.json").read_text())
    assert [(row["term"], row["name"]) for row in found] == [("focal", "class weight")]
    weights = found[0]["values"]
    assert len(weights) == 8
    assert sum(weights.values()) == pytest.approx(8)
    assert json.loads((finished / "report.json").read_text())["training"]["derived"] == found
    assert "Numbers that the loss terms derive from the training counts" in (finished / "report.html").read_text()


def test_the_log_has_every_part_with_weight_value_and_gradient_norm(lines: list[dict[str, Any]]) -> None:
    assert [line["step"] for line in lines] == list(range(len(lines)))
    assert {line["epoch"] for line in lines} == {0, 1}
    for line in lines:
        assert tuple(line["parts"]) == TERMS
        for name, part in line["parts"].items():
            starts = name == "calibration" and line["step"] == 0  # its weight ramps up from 0
            assert ("value" in part) is not starts
            assert ("grad_norm" in part) is (line["step"] % 2 == 0 and not starts)


def test_the_total_is_the_weighted_sum_of_its_parts(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        total = sum(part["weight"] * part.get("value", 0.0) for part in line["parts"].values())
        assert line["total"] == pytest.approx(total, rel=1e-12)
        assert line["total"] > 0
        assert line["grad_norm"] > 0


def test_the_weight_of_a_schedule_is_logged_as_it_was(lines: list[dict[str, Any]]) -> None:
    weights = [line["parts"]["calibration"]["weight"] for line in lines]
    steps = len(lines) // 2
    assert weights[:steps] == pytest.approx([0.5 * step / steps for step in range(steps)])
    assert weights[steps:] == [0.5] * steps


def test_every_epoch_sees_every_training_sample_once(finished: Path, lines: list[dict[str, Any]]) -> None:
    train = json.loads((finished / "split.json").read_text())["parts"]["train"]
    for epoch in (0, 1):
        assert sum(line["samples"] for line in lines if line["epoch"] == epoch) == len(train)


def test_the_checkpoint_holds_adapters_connector_and_heads_only(finished: Path) -> None:
    tensors = safetensors.numpy.load_file(finished / "checkpoints" / "epoch-001" / "model.safetensors")
    kinds = {".".join(name.split(".")[:2]) for name in tensors}
    assert kinds == {"heads.classify", "heads.project", "reasoner.lora", "reasoner.connector"}
    state = json.loads((finished / "checkpoints" / "epoch-001" / "state.json").read_text())
    assert state["epoch"] == 1
    assert state["log_bytes"] == (finished / "log.jsonl").stat().st_size


def test_predictions_have_ids_groups_labels_and_probabilities_before_and_after(finished: Path) -> None:
    split = json.loads((finished / "split.json").read_text())["parts"]
    for part in ("valid", "test"):
        table = pq.read_table(finished / "predictions" / f"{part}.parquet")
        assert sorted(table.column("id").to_pylist()) == sorted(split[part])
        assert {"id", "group", "label"} <= set(table.column_names)
        assert len(table.column_names) >= 3 + 2 * 8


def test_a_rationale_is_written_for_every_test_sample(finished: Path) -> None:
    split = json.loads((finished / "split.json").read_text())["parts"]
    written = [json.loads(line) for line in (finished / "rationales.jsonl").read_text().splitlines()]
    assert sorted(one["id"] for one in written) == sorted(split["test"])


def test_the_selected_epoch_is_the_best_on_validation(finished: Path) -> None:
    history = json.loads((finished / "validation.json").read_text())
    chosen = json.loads((finished / "selection.json").read_text())
    figures = [entry["nll"] for entry in history]
    assert len(figures) == 2
    assert chosen.pop("classes") == ["MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC"]
    assert chosen == {"epoch": figures.index(min(figures)), "by": "nll", "mode": "min"}
