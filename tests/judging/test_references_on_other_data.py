"""A run on another data set: its own references are judged there too, and what the set lacks is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import skinframe
from skinframe.data.columns import metadata_matrix
from skinframe.evaluation.baselines import linear_probe
from skinframe.judging.reference_models import KEPT, PROBES, own_references
from skinframe.predicting.external_dataset import _unrecorded
from skinframe.sample import Field, Sample


def test_a_finished_run_says_what_it_compares_with(finished: Path) -> None:
    from skinframe.reporting.report_files import read_report

    report = read_report(finished)
    assert report.trained_on.startswith("Trained on ")
    assert "drawings made by a program" in report.trained_on
    assert {row.second for row in report.differences} >= {"class prior"}
    assert report.class_titles["MEL"] == "melanoma"
    (screening,) = (table for table in report.evidence if table.topic == "screening")
    assert [row.name for row in screening.rows][-1] == "any malignant class"
    assert report.rationale is None or report.rationale.agreement is not None


def test_references_are_judged_on_other_data_as_they_were_fitted(finished: Path, tmp_path: Path) -> None:
    found = skinframe.evaluate(finished, out=tmp_path / "out", overrides=["data.config.seed=5"], resamples=20)
    rows = {row.name: row for row in found.report.rows}
    assert {"uniform guess", "class prior"} <= set(rows)
    assert rows["uniform guess"].metrics["nll"].value == pytest.approx(np.log(len(found.report.classes)))
    assert {row.second for row in found.report.differences} >= {"uniform guess", "this run, before calibration"}
    page = (found.folder / "report.html").read_text(encoding="utf-8")
    assert "Bottom line." in page
    assert "drawings made by a program" in page
    own = {title: table for title, _, _, table, _ in own_references(finished)}
    assert "class prior" in own


def test_a_run_of_an_earlier_version_keeps_none_and_says_so(copy: Path, tmp_path: Path) -> None:
    (copy / KEPT).unlink()
    assert own_references(copy) == ()
    found = skinframe.evaluate(copy, out=tmp_path / "out", overrides=["data.config.seed=5"], resamples=20)
    assert any("kept no probes" in warning for warning in found.report.warnings)
    assert "uniform guess" in {row.name for row in found.report.rows}


def test_a_probe_that_is_kept_predicts_what_it_predicted() -> None:
    random = np.random.default_rng(0)
    train, test = random.normal(size=(80, 6)), random.normal(size=(2, 30, 6))
    labels = random.integers(0, 3, 80)
    probe = linear_probe(
        train, labels, test[:, :10], labels[:10], test, classes=4, balanced=False, seed=0, strengths=(0.1,)
    )
    assert probe.weights is not None
    np.testing.assert_allclose(probe.weights.predict(test), probe.test, atol=1e-12)
    assert len(PROBES) == 4


def samples(ages: list[float | None]) -> list[Sample]:
    return [Sample(id=str(i), image="", label=0, metadata={"age": age, "sex": "male"}) for i, age in enumerate(ages)]


def test_metadata_that_the_model_learnt_with_and_that_is_not_here_is_named() -> None:
    fields = (Field(name="age", low=0, high=120), Field(name="site", values=("back", "face")))
    (missing,) = _unrecorded(fields, samples([50.0, 60.0]))
    assert "trained with site, which this set does not record" in missing
    seldom = _unrecorded(fields[:1], samples([50.0, None, None, None]))
    assert "age in 1 of 4 images" in seldom[0]
    assert _unrecorded(fields[:1], samples([50.0, 60.0])) == ()
    assert "trained with age" in _unrecorded(fields[:1], samples([500.0, None]))[0]  # a value that the field has not


def test_an_input_that_training_never_showed_moves_no_score() -> None:
    import torch

    from skinframe.model._head_modules import FusedModule

    fields = (Field(name="age", low=0, high=120), Field(name="sex", values=("female", "male")))
    known = torch.tensor(metadata_matrix(samples([50.0] * 8), fields)[0]).float()
    unknown = torch.tensor(metadata_matrix([Sample(id="x", image="", label=0, metadata={})] * 8, fields)[0]).float()
    torch.manual_seed(0)
    head = FusedModule((4, 4), known.shape[1], 3, 0.0, 0.0)
    signals = {"hidden": torch.randn(8, 4), "image_embedding": torch.randn(8, 4)}
    optimiser = torch.optim.AdamW(head.parameters(), lr=0.1)
    for _ in range(20):
        optimiser.zero_grad()
        scores = head({**signals, "metadata": known})["logits"]
        torch.nn.functional.cross_entropy(scores, torch.arange(8) % 3).backward()
        optimiser.step()
    with torch.no_grad():
        zero = head({**signals, "metadata": torch.zeros_like(known)})["logits"]
        torch.testing.assert_close(head({**signals, "metadata": unknown})["logits"], zero)
        assert not torch.equal(head({**signals, "metadata": known})["logits"], zero)


def test_a_kept_file_that_is_damaged_is_named(copy: Path) -> None:
    (copy / KEPT).write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{")
    with pytest.raises(skinframe.DataError, match=KEPT):
        own_references(copy)
    shutil.rmtree(copy)
