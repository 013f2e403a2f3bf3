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
from skinframe.evaluation.hypothesis_tests import clustered_mcnemar, holm, mcnemar, resamples_for
from skinframe.evaluation.interval_methods import smallest_p
from skinframe.evaluation.predictions import Predictions, write_predictions
from skinframe.evaluation.softmax import softmax
from skinframe.reporting.report_files import write_report
from skinframe.reporting.report_schema import Headline, Report
from skinframe.reporting.run_comparison import difference_sentence

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


def noisy(noise: float, seed: int) -> Predictions:
    random = np.random.default_rng(seed)
    labels = np.random.default_rng(4).integers(0, 3, N)
    logits = (2.0 - noise) * np.eye(3)[labels] + random.normal(size=(N, 3))
    names = tuple(f"i{row}" for row in range(N))
    return Predictions(names, names, labels, logits, softmax(logits), softmax(logits))


def test_eight_models_still_tell_the_worst_from_the_best(tmp_path: Path) -> None:
    """28 pairs x 3 metrics: on 1,000 resamples the smallest p, 2 / 1001, times 84 would be 0.17."""
    runs = [run(tmp_path / f"m{i}", i, noisy(0.35 * i, i)) for i in range(8)]
    made = skinframe.compare(*runs)
    assert len(made.differences) == 84
    ends = [row for row in made.differences if (row.first, row.second) == ("m0", "m7")]
    assert {difference_sentence(row) for row in ends} == {"favours m0"}
    assert all(row.adjusted is not None and row.adjusted < 0.05 for row in ends)
    assert f"{resamples_for(84):,} resamples" in ends[0].estimate.method


def test_equal_models_are_not_told_apart_by_more_resamples(tmp_path: Path) -> None:
    runs = [run(tmp_path / f"m{i}", i, noisy(0.5, i)) for i in range(6)]
    assert {difference_sentence(row) for row in skinframe.compare(*runs).differences} == {"no difference shown"}


def test_resamples_are_enough_for_the_family_and_no_fewer_than_before() -> None:
    for tests in (1, 3, 12, 84, 255, 1000):
        resamples = resamples_for(tests)
        assert resamples >= 1000
        assert tests * smallest_p(resamples) < 0.05
    assert resamples_for(12) == 1000


def shuffled(table: Predictions, order: list[int], columns: list[int]) -> Predictions:
    back = np.argsort(columns)
    return Predictions(
        tuple(table.ids[row] for row in order), tuple(table.groups[row] for row in order), back[table.labels[order]],
        *(block[order][:, columns] for block in (table.logits, table.probabilities, table.calibrated)),
    )  # fmt: skip


@pytest.mark.parametrize("columns", [[0, 1, 2], [2, 0, 1]])
def test_rows_are_matched_by_id_and_columns_by_class(tmp_path: Path, columns: list[int]) -> None:
    first, second = run(tmp_path / "a", 1, table(0.2, 1)), run(tmp_path / "b", 2, table(3.0, 1))
    order = np.random.default_rng(1).permutation(N).tolist()
    moved = run(tmp_path / "c" / "b", 2, table(3.0, 1))
    write_predictions(
        moved / "predictions" / "test.parquet",
        shuffled(table(3.0, 1), order, columns),
        [CLASSES[column] for column in columns],
    )
    plain, matched = skinframe.compare(first, second), skinframe.compare(first, moved)
    assert matched.differences == plain.differences
    assert matched.tests == plain.tests


def test_a_sample_that_is_missing_or_labelled_otherwise_is_named(tmp_path: Path) -> None:
    first = run(tmp_path / "a", 1, table(0.2, 1))
    whole = table(3.0, 1)
    order = list(range(1, N))
    fewer = run(tmp_path / "b", 2, shuffled(whole, order, [0, 1, 2]))
    with pytest.raises(DataError, match="1 of its samples are missing, such as 'i0'"):
        skinframe.compare(first, fewer)
    with pytest.raises(DataError, match="1 more samples than in it"):
        skinframe.compare(fewer, first)
    labels = whole.labels.copy()
    labels[7] = (labels[7] + 1) % 3
    other = run(tmp_path / "c", 3, dataclasses.replace(whole, labels=labels))
    with pytest.raises(DataError, match="1 samples have another label, such as 'i7'"):
        skinframe.compare(first, other)
