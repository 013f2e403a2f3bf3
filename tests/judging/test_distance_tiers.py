"""Tiers of distance in an evaluation: of a table's own column, or placed by institution and modality."""

from dataclasses import replace

import numpy as np
import pytest
from skinframe_tiny import SyntheticDermoscopy

import skinframe
from skinframe.errors import DataError
from skinframe.evaluation.predictions import read_predictions
from skinframe.judging.evidence.distance_table import tier_table
from skinframe.judging.run_predictions import placed_tiers
from skinframe.predicting.finished_run import plan_of_run
from skinframe.reporting.report_files import read_report
from skinframe.reporting.report_values import DROP_FROM_REFERENCE, OUT_OF_DISTRIBUTION

WORDS = "out of distribution"


def table(path, patients, skill=(0.95, 0.9, 0.5), tiers=("T1", "T3", "T4")):
    """Write predictions of two classes, so many patients a tier, right with the tier's own probability."""
    random, lines = np.random.default_rng(0), ["id,group,label,tier,probability:mel,probability:nv"]
    for tier, count, right in zip(tiers, patients, skill, strict=True):
        for row in range(count):
            label = row % 2
            said = label if random.random() < right else 1 - label
            lines.append(
                f"{tier}-{row},{tier}-{row},{('mel', 'nv')[label]},{tier},{0.9 - 0.8 * said},{0.1 + 0.8 * said}"
            )
    path.write_text("\n".join(lines) + "\n")
    return path


def judged(path, **options):
    options = {"tier": ("tier", "T1"), "resamples": 100, "out": path.with_suffix(""), **options}
    found = skinframe.evaluate(path, **options)
    evidence = next(one for one in read_report(found.folder).evidence if one.topic == "tiers-by-field")
    return evidence, (found.folder / "report.html").read_text()


def test_each_tier_has_a_row_and_a_drop_is_named_as_one_from_the_reference_tier(tmp_path):
    evidence, page = judged(table(tmp_path / "many.csv", (120, 120, 120)))
    assert evidence.head == ("balanced accuracy", "drop from T1", "p", "NLL")
    first, near, far = evidence.rows
    assert [row.name for row in evidence.rows] == ["T1", "T3", "T4"]
    assert first.cells[1] is None
    assert first.note.startswith("120 images of 120 groups")
    assert near.cells[1].low < 0.1
    assert far.cells[1].low > 0.2
    (check,) = evidence.checks
    assert (check.name, check.passed) == (DROP_FROM_REFERENCE, True)
    assert check.detail.startswith("from T1: T4 by ")
    assert "T3" not in check.detail
    assert WORDS not in page.lower()  # a column says nothing of the training data


@pytest.mark.parametrize("patients", [(19, 120, 120), (120, 19, 12)])
def test_where_nothing_could_be_tested_the_words_do_not_stand(tmp_path, patients):
    evidence, page = judged(table(tmp_path / "few.csv", patients))
    assert evidence.checks == ()
    assert WORDS not in page.lower()
    for row, count in zip(evidence.rows, patients, strict=True):
        assert (row.cells[0] is None) == (count < 20)
        assert row.cells[1] is None
        assert f"{count} images" in row.note


def test_no_drop_is_not_called_one(tmp_path):
    evidence, _ = judged(table(tmp_path / "same.csv", (80, 80, 80), (0.8, 0.8, 0.8)))
    (check,) = evidence.checks
    assert check.passed is False
    assert check.detail == "from T1: shown for none of T3, T4"


@pytest.mark.parametrize(
    ("tier", "message"),
    [(("tier", "T2"), "--tier tier=T2: no row has that value; known: T1, T3, T4"), (("tir", "T1"), "no column 'tir'")],
)
def test_a_tier_that_is_not_there_is_refused(tmp_path, tier, message):
    with pytest.raises(DataError, match=message):
        judged(table(tmp_path / "few.csv", (20, 20, 20)), tier=tier)


def test_another_data_set_is_placed_beside_the_runs_own_test_images(finished, monkeypatch):
    def context(dataset, sample):
        place = "Graz" if dataset.config.seed == 5 else "Vienna"
        return {"institution": place, "modality": "dermoscopy"}

    own, _ = read_predictions(finished / "predictions" / "test.parquet")
    dataset = plan_of_run(finished, (), ["data.config.seed=5"]).parts.dataset
    samples = dataset.samples()[: len(own.ids)]
    assert placed_tiers(finished, (), dataset, samples, own) is None  # neither set says where it is from
    monkeypatch.setattr(SyntheticDermoscopy, "context", context)
    found = placed_tiers(finished, (), dataset, samples, own)
    assert list(found.names) == [found.reference] * len(own.ids) + ["T3"] * len(own.ids)
    assert np.array_equal(found.probabilities, np.concatenate([own.calibrated, own.calibrated]))
    assert tier_table(found, seed=0, resamples=200, level=0.95).topic == "tiers"
    worse = replace(found, probabilities=np.roll(found.probabilities, 1, axis=1))
    assert {check.name for check in tier_table(worse, seed=0, resamples=50, level=0.95).checks} <= {OUT_OF_DISTRIBUTION}
    assert not set(found.groups[: len(own.ids)]) & set(found.groups[len(own.ids) :])  # patients of two sets are two


def test_fields_of_a_run_can_be_tiers_too(finished, tmp_path):
    found = skinframe.evaluate(finished, out=tmp_path / "out", tier=("sex", "female"), resamples=20)
    assert any(one.name == "Tiers by sex" for one in found.report.evidence)
    assert WORDS not in (found.folder / "report.html").read_text(encoding="utf-8").lower()
    with pytest.raises(DataError, match="--tier sxe: the data set has no such field; did you mean 'sex'"):
        skinframe.evaluate(finished, out=tmp_path / "out", tier=("sxe", "female"))
