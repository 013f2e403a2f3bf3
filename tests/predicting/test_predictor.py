"""One Predictor stands behind every answer: alone, batched or in another order it says the same, and reads no label."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skinframe
from skinframe.data.columns import Attributes, ClassCounts, Labels, TextIds
from skinframe.evaluation.predictions import read_predictions
from skinframe.predicting.predictor import Predictor
from skinframe.preparing.prepare import prepare
from skinframe.preparing.run_feed import make_feed
from skinframe.progress import Display


@pytest.fixture(scope="module")
def opened(small: Any, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Predictor, Any, Any]:
    predictor = Predictor.open(finished)
    prepared = prepare(predictor.plan, tmp_path_factory.mktemp("p"), small.cache, "cpu", Display(quiet=True))
    return predictor, make_feed(prepared, predictor.model), prepared


def test_an_opened_run_answers_as_its_own_tables_say(opened: tuple[Predictor, Any, Any], finished: Path) -> None:
    predictor, feed, prepared = opened
    table, _ = read_predictions(finished / "predictions" / "test.parquet")
    logits = predictor.logits(feed, prepared.split.test)
    np.testing.assert_array_equal(logits, table.logits)
    np.testing.assert_array_equal(predictor.calibrated(logits), table.calibrated)


def test_alone_batched_and_in_another_order_the_answer_is_the_same(opened: tuple[Predictor, Any, Any]) -> None:
    predictor, feed, prepared = opened
    rows = list(prepared.split.test)
    together = predictor.calibrated(predictor.logits(feed, rows))
    alone = np.concatenate([predictor.calibrated(predictor.logits(feed, [row])) for row in rows])
    backwards = predictor.calibrated(predictor.logits(feed, rows[::-1]))[::-1]
    small_batches = replace(predictor, plan=_with_tokens(predictor.plan, 200))
    np.testing.assert_allclose(alone, together, rtol=0, atol=1e-6)
    np.testing.assert_allclose(backwards, together, rtol=0, atol=1e-6)
    np.testing.assert_allclose(small_batches.calibrated(small_batches.logits(feed, rows)), together, rtol=0, atol=1e-6)
    assert predictor.rationales(feed, rows[:3]) == [predictor.rationales(feed, [row])[0] for row in rows[:3]]


def _with_tokens(plan: Any, tokens: int) -> Any:
    recipe = plan.recipe
    return replace(plan, recipe=replace(recipe, train=replace(recipe.train, max_tokens=tokens)))


def test_no_column_for_loss_terms_is_even_made(
    opened: tuple[Predictor, Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels that cannot be read change nothing: scores, texts and heat maps do not ask for them."""
    predictor, _, prepared = opened
    for column in (Labels, Attributes, ClassCounts, TextIds):
        monkeypatch.setattr(column, "bind", lambda self, context: pytest.fail("a label was read"))
    feed, rows = make_feed(prepared, predictor.model), list(prepared.split.test)[:2]
    predictor.logits(feed, rows)
    predictor.rationales(feed, rows)
    heat = predictor.heat(feed, rows, [0, 1])
    assert heat is not None
    assert heat.shape[0] == 2


def test_an_opened_model_cannot_learn(opened: tuple[Predictor, Any, Any]) -> None:
    assert not any(parameter.requires_grad for parameter in opened[0].model.parameters())
    assert not opened[0].model.training


def test_without_a_calibrator_nothing_is_calibrated(opened: tuple[Predictor, Any, Any]) -> None:
    with pytest.raises(ValueError, match="has no fitted calibrator"):
        replace(opened[0], calibration=None).calibrated(np.zeros((1, 8)))


def test_predict_says_what_the_run_said_of_the_same_image(
    opened: tuple[Predictor, Any, Any], finished: Path, tmp_path: Path
) -> None:
    predictor, _, prepared = opened
    table, _ = read_predictions(finished / "predictions" / "test.parquet")
    row = prepared.split.test[0]
    sample, dataset = prepared.samples[row], predictor.plan.parts.dataset
    (tmp_path / "image.png").write_bytes(dataset.image_bytes(sample))
    metadata = {name: str(value) for name, value in sample.metadata.items() if value is not None}
    (found,) = skinframe.predict(finished, [tmp_path / "image.png"], metadata=metadata)
    np.testing.assert_allclose(list(found.probabilities.values()), table.calibrated[0], rtol=0, atol=1e-6)
