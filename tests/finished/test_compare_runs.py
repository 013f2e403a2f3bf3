"""`compare` on two finished runs: paired differences, McNemar, DeLong, and tests against a margin."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import skinframe
from skinframe.cli import main
from skinframe.errors import DataError, RecipeError
from skinframe.evaluation.delong import clustered_delong, delong
from skinframe.evaluation.hypothesis_tests import clustered_mcnemar, holm, mcnemar
from skinframe.evaluation.predictions import Predictions, write_predictions
from skinframe.evaluation.softmax import softmax
from skinframe.reporting.report_files import write_report
from skinframe.reporting.report_schema import Headline, Report

CLASSES = ("nevus", "melanoma", "bcc")
N = 240


def table(noise: float, images_per_group: int) -> Predictions:
    random = np.random.default_rng(4)
    labels = random.integers(0, 3, N)
    logits = 2.0 * np.eye(3)[labels] + random.normal(size=(N, 3)) + noise * random.normal(size=(N, 3))
    probabilities = softmax(logits)
    groups = tuple(f"p{row // images_per_group}" for row in range(N))
    ids = tuple(f"i{row}" for row in range(N))
    return Predictions(ids, groups, labels, logits, probabilities, probabilities)


def run(folder: Path, seed: int, predictions: Predictions) -> Path:
    head = Headline(
        name=folder.name, scale="tiny", device="CPU", date="2026-01-01", version="0", fingerprint=f"{seed}" * 12,
        seed=0, n_train=1, n_valid=1, n_test=N, groups_train=1, groups_valid=1, groups_test=N, group_level="patient",
        epochs=1,
    )  # fmt: skip
    write_report(Report(headline=head, classes=CLASSES, rows=()), folder)
    write_predictions(folder / "predictions" / "test.parquet", predictions, CLASSES)
    return folder


@pytest.fixture(params=[1, 3])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    tables = [table(noise, request.param) for noise in (0.2, 3.0)]
    return [run(tmp_path / name, i, one) for i, (name, one) in enumerate(zip(("good", "poor"), tables, strict=True))]


def test_the_tests_are_those_of_the_prediction_tables(pair: list[Path]) -> None:
    made = skinframe.compare(*pair, margins={"balanced_accuracy": 0.02})
    assert [row.metric for row in made.differences] == ["balanced_accuracy", "nll", "brier"]
    from skinframe.evaluation.predictions import read_predictions

    a, b = (read_predictions(folder / "predictions" / "test.parquet")[0] for folder in pair)
    right = [one.calibrated.argmax(1) == one.labels for one in (a, b)]
    single = len(set(a.groups)) == N
    accuracy, *areas, inferior, equal = made.tests
    expected = mcnemar(*right) if single else clustered_mcnemar(*right, a.groups)
    assert accuracy.p_value == pytest.approx(expected.p)
    assert accuracy.estimate.value == pytest.approx(right[0].mean() - right[1].mean())
    found = []
    for c, test in enumerate(areas):
        scores = np.stack([a.calibrated[:, c], b.calibrated[:, c]])
        curve = delong(a.labels == c, scores) if single else clustered_delong(a.labels == c, scores, a.groups)
        assert test.quantity == f"AUROC of {CLASSES[c]}"
        assert test.p_value == pytest.approx(curve.p_value())
        found.append(curve.p_value())
    assert [test.adjusted for test in areas] == pytest.approx(holm(found).tolist())
    assert (inferior.method, equal.method) == ("non-inferiority (margin 0.02)", "equivalence, TOST (margin 0.02)")
    assert inferior.adjusted is not None
    assert inferior.adjusted < 0.025  # the first run is much better, so it is not worse and not equivalent
    assert equal.adjusted is not None
    assert equal.adjusted > 0.5


def test_the_command_prints_and_writes_every_test(pair: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    main(["compare", *map(str, pair), "--margin", "balanced_accuracy=0.02"])
    text = capsys.readouterr().out
    page = (pair[0].parent / "compare.html").read_text()
    for word in (
        "McNemar",
        "DeLong",
        "AUROC of melanoma",
        "equivalence, TOST (margin 0.02)",
        "not shown",
        "favours good",
    ):
        assert word in text
        assert word in page
    assert "favours poor" not in text  # also where a lower score is better
    assert "worse by less than 0.02" in page


def test_without_a_margin_no_claim_is_tested(pair: list[Path]) -> None:
    assert not any(test.claim for test in skinframe.compare(*pair).tests)


@pytest.mark.parametrize(
    ("margins", "message"),
    [
        ({"balanced_acuracy": 0.02}, "no metric named 'balanced_acuracy'; did you mean 'balanced_accuracy'"),
        ({"nll": -1.0}, "the margin of nll must be a positive number, got -1"),
    ],
)
def test_a_margin_that_cannot_be_tested_is_refused(pair: list[Path], margins: dict[str, float], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        skinframe.compare(*pair, margins=margins)


def test_runs_on_other_samples_do_not_compare(tmp_path: Path) -> None:
    one = table(0.2, 1)
    first = run(tmp_path / "a", 0, one)
    other = run(tmp_path / "b", 1, dataclasses.replace(one, ids=tuple(f"x{row}" for row in range(N))))
    with pytest.raises(DataError, match="was tested on other samples than"):
        skinframe.compare(first, other)
