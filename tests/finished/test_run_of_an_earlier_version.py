"""A run folder made before the signal graph (commit 9195069, 60 synthetic images, one epoch) still opens."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import skinframe
from skinframe.evaluation.predictions import read_predictions
from skinframe.predicting.finished_run import plan_of_run

BEFORE = Path(__file__).with_name("run_at_9195069")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return shutil.copytree(BEFORE, tmp_path / "old_run")


def test_its_files_verify() -> None:
    found = skinframe.verify(BEFORE)
    assert not found.damaged
    assert len(found.findings) == 14


def test_its_plan_is_made_again_from_its_recipe() -> None:
    plan = plan_of_run(BEFORE)
    assert plan.graph.roots.scores == "classify.logits"
    assert plan.recipe.requires == ["cfa", "clip", "qwen", "derm", "tiny"]


def test_it_predicts_what_it_predicted_then(run: Path, tmp_path: Path) -> None:
    table, _ = read_predictions(run / "predictions" / "test.parquet")
    dataset = plan_of_run(run).parts.dataset
    (sample,) = (sample for sample in dataset.samples() if sample.id == table.ids[0])
    (tmp_path / "image.png").write_bytes(dataset.image_bytes(sample))
    metadata = {name: str(value) for name, value in sample.metadata.items() if value is not None}
    (found,) = skinframe.predict(run, [tmp_path / "image.png"], metadata=metadata)
    np.testing.assert_allclose(list(found.probabilities.values()), table.calibrated[0], atol=1e-5)


def test_its_report_is_made_again_from_report_json(run: Path) -> None:
    (run / "report.html").unlink()
    skinframe.report(run)
    assert "for research only" in (run / "report.html").read_text(encoding="utf-8").lower()


def test_it_is_compared_with_another(run: Path, tmp_path: Path) -> None:
    other = shutil.copytree(BEFORE, tmp_path / "other")
    assert "balanced accuracy" in str(skinframe.compare(run, other)).lower()
