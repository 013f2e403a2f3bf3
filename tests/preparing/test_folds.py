"""The two folds of a run that is judged: figures are of the test images, calibrators of the calibration fold alone."""

import json
from dataclasses import replace

import numpy as np
import pytest

import skinframe
from skinframe.evaluation.predictions import read_predictions, write_predictions
from skinframe.evaluation.softmax import softmax


def sharpen(run, part):
    """Make the probabilities of one part of a run three times as sharp, as another model would have predicted it."""
    path = run / "predictions" / f"{part}.parquet"
    found, classes = read_predictions(path)
    logits = 3 * found.logits
    sharp = softmax(logits)
    write_predictions(path, replace(found, logits=logits, probabilities=sharp, calibrated=sharp), classes)


def figures(run, out):
    """Return NLL, number of images, and what each calibrator was fitted to."""
    found = skinframe.evaluate(run, out=out, resamples=20, seed=17)
    rows = json.loads((out / "metrics.json").read_text())
    fitted = json.loads((out / "calibrators.json").read_text())["parameters"]
    names = ("this run", "this run, before calibration")
    return [rows[name]["nll"]["value"] for name in names], found.report.headline, fitted


@pytest.mark.parametrize("part", ["test", "valid"])
def test_each_part_decides_its_own_figures_and_no_other(copy, tmp_path, part):
    before, headline, fitted = figures(copy, tmp_path / "before")
    sizes = {name: len(read_predictions(copy / "predictions" / f"{name}.parquet")[0].ids) for name in ("test", "valid")}
    own = json.loads((copy / "calibrator.json").read_text()).get("fitted_on")
    assert headline.n_test == sizes["test"]
    assert headline.n_valid == (sizes["valid"] if own is None else len(own))
    sharpen(copy, part)
    after, _, refitted = figures(copy, tmp_path / "after")
    changed = [not np.isclose(a, b) for a, b in zip(before, after, strict=True)]
    assert changed == [part == "test"] * 2
    assert (fitted == refitted) == (part == "test")
