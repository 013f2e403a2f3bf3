"""A head that is told the metadata as numbers: of new images and other sets, too, what training's fields know of it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import skinframe
from skinframe.errors import RecipeError
from skinframe.evaluation.predictions import read_predictions
from skinframe.predicting.finished_run import plan_of_run

FUSED = ("heads.classify.use=fused", "heads.classify.config.metadata=true", "prompt.config.metadata=false")
SITES = "[scalp, trunk]"


@pytest.fixture(scope="module")
def told(small: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose prompt says nothing of the metadata, so that only the numbers can."""
    return Path(small.run(tmp_path_factory.mktemp("told"), *FUSED, "train.epochs=1").folder)


def test_the_numbers_reach_the_head_at_new_images(told: Path, photograph: Path) -> None:
    none, old, young = (
        skinframe.predict(told, [photograph], metadata=metadata)[0].probabilities
        for metadata in ({}, {"age": "80"}, {"age": "20"})
    )
    assert none != old != young != none


def test_another_set_s_own_words_count_as_not_recorded(told: Path, tmp_path: Path, small: Any) -> None:
    """With a site of another set's and with none the same image is judged alike, with another age it is not."""
    rows = [("one", 60, "trunk"), ("two", 60, ""), ("three", 20, "")]
    classes = plan_of_run(told).parts.dataset.classes
    Image.fromarray(np.full((128, 128, 3), 150, np.uint8)).save(tmp_path / "skin.png")
    with (tmp_path / "manifest.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "image", "label", "patient", "age", "site"])
        writer.writerows([name, "skin.png", classes[k], name, age, site] for k, (name, age, site) in enumerate(rows))
    named = f"[{', '.join(classes)}]"
    data = ["data.use=table", f"data.config.root={tmp_path}", f"data.config.classes={named}"]
    out = tmp_path / "out"
    skinframe.evaluate(
        told, out=out, cache=small.cache, overrides=[*data, f"data.config.sites={SITES}"], resamples=20, quiet=True
    )
    found, _ = read_predictions(out / "predictions.parquet")
    by_id = dict(zip(found.ids, found.logits, strict=True))
    np.testing.assert_allclose(by_id["one"], by_id["two"], rtol=1e-5)
    assert not np.allclose(by_id["two"], by_id["three"], rtol=1e-3)


@pytest.mark.parametrize("harm", ["age", {"name": "age", "values": 3}])
def test_fields_that_cannot_be_read_are_named(told: Path, tmp_path: Path, harm: object, photograph: Path) -> None:
    run = shutil.copytree(told, tmp_path / "run")
    selection = json.loads((run / "selection.json").read_text())
    (run / "selection.json").write_text(json.dumps({**selection, "metadata_fields": [harm]}))
    with pytest.raises(RecipeError, match=r"selection\.json: metadata_fields\.0"):
        skinframe.predict(run, [photograph])


def test_a_run_without_such_a_head_records_no_metadata_fields(finished: Path) -> None:
    assert plan_of_run(finished).metadata_fields is None
    assert "metadata_fields" not in json.loads((finished / "selection.json").read_text())
