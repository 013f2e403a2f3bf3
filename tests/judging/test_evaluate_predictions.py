"""`skinframe evaluate` on tables and runs: the same judgement for everybody, and one message for what it refuses."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import skinframe
from skinframe.errors import DataError, RecipeError
from skinframe.evaluation.predictions import read_predictions
from skinframe.reporting.report_files import read_report


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
        "Positive classes",
        "mel against the rest",
        "Decision curve: mel",
        "Calibration metrics before and after calibration",
        "Selective prediction (abstaining on the least confident)",
        "Conformal prediction sets (90 %)",
        "Subgroups by sex",
    ]
    main = report.rows[0]
    assert {"nll", "ece", "pauc_tpr80_isic2024", "sensitivity_at_specificity", "augrc"} <= main.metrics.keys()
    assert all(one.low <= one.value <= one.high for one in main.metrics.values())
    assert report.reliability[0].verdict is not None
    page = (judged.folder / "report.html").read_text()
    for name in names:
        assert name in page
    assert "predicted by another system" in page
    assert "Training</dt>" not in page
    assert "pauc_tpr80_isic2024" in (judged.folder / "metrics.json").read_text()


def test_calibrators_of_other_patients_mend_overconfidence_and_are_saved(judged):
    evidence = {one.name: one for one in read_report(judged.folder).evidence}
    nll = {row.name: row.cells[0].value for row in evidence["Calibration metrics before and after calibration"].rows}
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


def test_a_run_that_is_judged_again_gets_the_figures_of_its_own_report(small, tmp_path, monkeypatch):
    """Floors draw one diagnosis a lesion, and operating points come from the calibration fold, in both."""
    monkeypatch.setattr("skinframe.data.kfold.MIN_GROUPS", 5)
    named = ("ece", "nll", "balanced_accuracy", "specificity_at_sensitivity")
    recipe = small.recipe.with_name("named.yaml")
    metrics = {name: {"use": name} for name in named}
    metrics["specificity_at_sensitivity"]["config"] = {"positive": ["NV"]}
    recipe.write_text(f"{small.recipe.read_text()}\nmetrics: {json.dumps(metrics)}\n")
    images = ("data.config.images=120", "split.train=0.4", "split.valid=0.3", "split.test=0.3")
    run = replace(small, recipe=recipe).run(tmp_path / "runs", "train.epochs=1", *images).folder
    assert json.loads((run / "calibrator.json").read_text())["own_fold"]
    written, _ = read_predictions(run / "predictions" / "test.parquet")
    assert len(set(written.lesions)) < len(written.ids)
    asked = {"metrics": named, "positive": ["NV"], "resamples": 50, "seed": 17}
    found = skinframe.evaluate(run, out=tmp_path / "out", **asked)
    mine, theirs = (json.loads((folder / "metrics.json").read_text()) for folder in (found.folder, run))
    for row in ("this run", "this run, before calibration"):
        assert {name: mine[row][name] for name in named} == theirs[row]
    assert not any("independent diagnoses" in warning for warning in found.report.warnings)


def test_lesions_of_a_table_share_a_diagnosis_and_their_absence_is_said(tmp_path):
    """Four copies of each image of a calibrated law: its error looks four times as sure unless lesions are named."""
    random, lines = np.random.default_rng(3), ["id,group,label,lesion,probability:a,probability:b"]
    for patient in range(80):
        p = random.uniform(0.2, 0.8)
        label = "ab"[int(random.random() >= p)]
        lines += [f"{patient}-{i},{patient},{label},1,{p!r},{1 - p!r}" for i in range(4)]
    path = tmp_path / "copies.csv"
    path.write_text("\n".join(lines) + "\n")
    told, untold = (
        skinframe.evaluate(path, out=tmp_path / str(lesion), lesion=lesion, resamples=100).report
        for lesion in ("lesion", None)
    )
    floors = [report.rows[0].metrics["ece"].floor for report in (told, untold)]
    assert floors[0].mean > 1.5 * floors[1].mean
    assert floors[0].p_value > floors[1].p_value
    assert "independent diagnoses" in " ".join(untold.warnings)
    assert "independent diagnoses" not in " ".join(told.warnings)
    with pytest.raises(DataError, match=r"no column 'leson'.*--lesion COLUMN"):
        skinframe.evaluate(path, out=tmp_path, lesion="leson")


@pytest.mark.parametrize("path", ["out", "out/report.html"])
def test_a_place_that_cannot_take_the_report_is_found_before_anything_is_computed(judged, tmp_path, path):
    blocked = tmp_path / path
    if path == "out":
        blocked.write_text("a file of mine")
    else:
        blocked.mkdir(parents=True)
    words = ["evaluate", str(judged.folder.parent / "test.csv"), "--out", str(tmp_path / "out")]
    code = "from skinframe.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert done.returncode == 5
    assert done.stderr.strip().count("\n") == 0
    assert "another folder with --out" in done.stderr
    assert not (tmp_path / "out" / "metrics.json").exists()


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
    with pytest.raises(RecipeError, match="a finished run keeps its model; only data"):
        skinframe.evaluate(finished, out=tmp_path, overrides=["train.epochs=1"])
