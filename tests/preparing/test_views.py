"""Predictions over several dihedral views: the mean of their log probabilities, wherever a run is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import skinframe
from skinframe.errors import RecipeError
from skinframe.evaluation.predictions import read_predictions
from skinframe.predicting.finished_run import plan_of_run
from skinframe.reporting.report_files import read_report

OPTIONS = ("train.epochs=1", "evaluate.views=2", "evaluate.probes=true", "evaluate.injection=3")


@pytest.fixture(scope="module")
def turned(small: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = small.run(tmp_path_factory.mktemp("views"), *OPTIONS).folder
    return folder


def test_the_answer_is_the_mean_of_each_view_s_log_probabilities(small: Any, turned: Path, tmp_path: Path) -> None:
    from skinframe.predicting.predictor import chosen_model
    from skinframe.preparing.prepare import prepare
    from skinframe.preparing.run_feed import make_feed
    from skinframe.progress import Display

    plan = plan_of_run(turned)
    prepared = prepare(plan, tmp_path, small.cache, "cpu", Display(quiet=True))
    model = chosen_model(plan, turned).eval()
    feed, rows = make_feed(prepared, model), prepared.split.test
    each = []
    for view in (0, 1):
        scores, want = plan.graph.roots.scores, plan.graph.ancestors([plan.graph.roots.scores])
        batch = feed.batch(rows, [view] * len(rows), want)
        each.append(model(batch, want)[scores].log_softmax(1).detach().double().numpy())
    assert not np.allclose(each[0], each[1])
    table, _ = read_predictions(turned / "predictions" / "test.parquet")
    np.testing.assert_allclose(table.logits, np.mean(each, axis=0), atol=1e-4)


def test_a_test_image_is_predicted_as_in_the_run(turned: Path, tmp_path: Path) -> None:
    dataset = plan_of_run(turned).parts.dataset
    row = pq.read_table(turned / "predictions" / "test.parquet").to_pylist()[0]
    (sample,) = (one for one in dataset.samples() if one.id == row["id"])
    image = tmp_path / "image.png"
    image.write_bytes(dataset.image_bytes(sample))
    metadata = {name: str(value) for name, value in sample.metadata.items() if value is not None}
    (found,) = skinframe.predict(turned, [image], metadata=metadata)
    values = [value for name, value in row.items() if name.startswith("calibrated")]
    assert list(found.probabilities.values()) == pytest.approx(values, abs=1e-5)


def test_the_report_says_so_and_what_cannot_enter_changes_nothing(turned: Path) -> None:
    report = read_report(turned)
    assert any("over 2 flips and rotations" in note for note in report.notes)
    (words,) = (one for one in report.evidence if one.name == "Injected text that names another diagnosis")
    assert [check.passed for check in words.checks] == [True]


def test_views_are_one_to_eight(small: Any, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="views must be 1 to 8"):
        small.run(tmp_path, "evaluate.views=9")
