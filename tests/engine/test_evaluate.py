"""`skinframe evaluate` on tables and runs: the same judgement for everybody, and one message for what it refuses."""

import json
import subprocess
import sys

import numpy as np
import pytest

import skinframe
from skinframe.errors import DataError, RecipeError
from skinframe.reporting.write import read_report


def table(path, seed, patients=30, sharper=1.8):
    """Write predictions of three classes by patient, over-confident on purpose."""
    random = np.random.default_rng(seed)
    lines = ["id,group,label,sex,probability:mel,probability:nv,probability:bkl"]
    for patient in range(patients):
        for lesion in range(3):
            z = random.normal(size=3) * 1.5 + [0.0, 1.0, 0.0]
            law = np.exp(z) / np.exp(z).sum()
            label = ("mel", "nv", "bkl")[random.choice(3, p=law)]
            p = law**sharper / (law**sharper).sum()
            sex = ("f", "m")[patient % 2]
            lines.append(f"{seed}-{patient}-{lesion},{seed}-{patient},{label},{sex}," + ",".join(map(repr, p.tolist())))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    return skinframe.evaluate(
        table(folder / "test.csv", 1, patients=60),
        fit_on=table(folder / "other.csv", 2, patients=60),
        out=folder / "out",
        requires=["derm"],
        metrics=["pauc_tpr80_isic2024", "sensitivity_at_specificity", "augrc"],
        positive=["mel"],
        prevalence=0.05,
        subgroups=["sex"],
        resamples=60,
    )


def test_a_table_gets_what_a_run_gets(judged):
    report = read_report(judged.folder)
    names = [one.name for one in report.evidence]
    assert names == [
        "Finding mel",
        "Acting on mel: net benefit",
        "Before and after calibration",
        "Leaving the least sure to someone else",
        "Sets of classes that hold the true one nine times in ten",
        "By sex",
    ]
    main = report.rows[0]
    assert {"nll", "ece", "pauc_tpr80_isic2024", "sensitivity_at_specificity", "augrc"} <= main.metrics.keys()
    assert all(one.low <= one.value <= one.high for one in main.metrics.values())
    assert report.reliability[0].verdict is not None
    page = (judged.folder / "report.html").read_text()
    for name in names:
        assert name in page
    assert "as another system predicted them" in page
    assert "Training</dt>" not in page
    assert "pauc_tpr80_isic2024" in (judged.folder / "metrics.json").read_text()


def test_calibrators_of_other_patients_mend_overconfidence_and_are_saved(judged):
    evidence = {one.name: one for one in read_report(judged.folder).evidence}
    nll = {row.name: row.cells[0].value for row in evidence["Before and after calibration"].rows}
    assert nll["after temperature"] < nll["as given"]
    saved = json.loads((judged.folder / "calibrators.json").read_text())
    assert saved["fitted_on"] == "other.csv"
    assert saved["parameters"]["temperature"]["temperature"] > 1.2
    assert {"vector", "dirichlet", "isotonic", "beta", "bias_corrected_temperature"} < saved["parameters"].keys()


def test_two_evaluations_of_one_table_agree_to_the_bit(judged, tmp_path):
    folder = judged.folder.parent
    first, second = (skinframe.evaluate(folder / "test.csv", out=tmp_path / name, resamples=20) for name in ("a", "b"))
    assert (first.folder / "metrics.json").read_text() == (second.folder / "metrics.json").read_text()


def test_without_other_patients_nothing_is_calibrated_and_that_is_said(judged, tmp_path):
    found = skinframe.evaluate(
        judged.folder.parent / "test.csv",
        out=tmp_path,
        group=None,
        metrics=["specificity_at_sensitivity"],
        resamples=20,
    )
    said = " ".join(found.report.warnings)
    assert "no calibration table was given" in said
    assert "each row counts as another patient" in said
    assert "name the classes to look for" in said
    assert not (tmp_path / "calibrators.json").exists()


def test_a_calibration_table_with_the_same_patients_is_refused(judged, tmp_path):
    test = judged.folder.parent / "test.csv"
    with pytest.raises(DataError, match=r"stand in test.csv too.*calibrate on patients of their own"):
        skinframe.evaluate(test, fit_on=test, out=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": ["auroca"]}, "no metric named 'auroca'; did you mean 'auroc'"),
        ({"metrics": ["pauc_tpr80_isic2024"]}, "need --requires PLUGIN"),
        ({"prevalence": 1.5}, r"prevalence must be in \(0, 1\), got 1.5"),
        ({"thresholds": (0.5, 0.1)}, "0 < LOW < HIGH < 1"),
        ({"overrides": ["data.use=table"]}, "only a run can predict other data"),
    ],
)
def test_a_request_that_does_not_hold_is_a_recipe_error(judged, tmp_path, options, message):
    with pytest.raises(RecipeError, match=message):
        skinframe.evaluate(judged.folder.parent / "test.csv", out=tmp_path, **options)


def test_the_command_ends_with_code_3_and_one_message(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("id,group,label,probability:a,probability:b\n1,p,a,0.9,0.9\n")
    done = subprocess.run(
        [sys.executable, "-c", "from skinframe.cli import main; main()", "evaluate", str(bad)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 3
    assert done.stderr.strip().count("\n") == 0
    assert "must sum to 1" in done.stderr
    assert not (tmp_path / "evaluations").exists()


def test_a_run_is_judged_again_with_more_questions(finished, tmp_path):
    found = skinframe.evaluate(finished, out=tmp_path, metrics=["augrc"], resamples=20, seed=17)
    run = read_report(finished)
    mine = found.report.rows[0].metrics
    theirs = next(row for row in run.rows if row.role == "main").metrics
    for name in theirs:
        assert mine[name].value == pytest.approx(theirs[name].value, nan_ok=True)
    assert "augrc" in mine


def test_a_run_predicts_another_data_set_and_changes_nothing_of_its_own(finished, tmp_path, small):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()}
    found = skinframe.evaluate(
        finished,
        out=tmp_path / "out",
        cache=small.cache,
        overrides=["data.config.seed=5", "data.config.images=24"],
        resamples=20,
        quiet=True,
    )
    assert found.report.headline.n_test == 24
    assert (tmp_path / "out" / "predictions.parquet").is_file()
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()} == before


def test_a_run_is_not_tested_on_what_it_was_trained_on_and_nothing_but_data_changes(finished, tmp_path):
    with pytest.raises(RecipeError, match="can only be given other data"):
        skinframe.evaluate(finished, out=tmp_path, overrides=["train.epochs=1"])
