"""Prediction tables come back as they were written, and are written whole or not at all."""

import errno
import os

import numpy as np
import pyarrow.parquet as pq
import pytest

from skinframe.errors import DataError, DiskError
from skinframe.evaluation.predictions import Predictions, read_predictions, write_predictions
from skinframe.evaluation.softmax import softmax

CLASSES = ("melanoma", "naevus, common", "größe")


def predictions(n=7, seed=0):
    logits = np.random.default_rng(seed).normal(size=(n, 3))
    labels = np.arange(n) % 4 - 1
    ids, groups = tuple(f"image {i}" for i in range(n)), tuple(f"patient:{i // 2}" for i in range(n))
    return Predictions(ids, groups, labels, logits, softmax(logits), softmax(logits / 2))


@pytest.mark.parametrize("n", [7, 0])
def test_round_trip_keeps_every_bit(tmp_path, n):
    written = predictions(n)
    write_predictions(tmp_path / "predictions" / "test.parquet", written, CLASSES)
    read, classes = read_predictions(tmp_path / "predictions" / "test.parquet")
    assert classes == CLASSES
    assert (read.ids, read.groups) == (written.ids, written.groups)
    for name in ("labels", "logits", "probabilities", "calibrated"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))


def test_columns_can_be_read_by_anyone(tmp_path):
    write_predictions(tmp_path / "test.parquet", predictions(), CLASSES)
    table = pq.read_table(tmp_path / "test.parquet")
    assert table.column_names[:4] == ["id", "group", "label", "logit:melanoma"]
    assert table["label"].to_pylist()[:3] == [None, "melanoma", "naevus, common"]
    assert {"probability:größe", "calibrated:größe"} <= set(table.column_names)


def test_the_same_predictions_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_predictions(tmp_path / name, predictions(), CLASSES)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_full_disk_keeps_the_old_table_and_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "test.parquet"
    write_predictions(path, predictions(), CLASSES)
    before = path.read_bytes()

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskError, match=r"test\.parquet: no space left on device"):
        write_predictions(path, predictions(seed=1), CLASSES)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["test.parquet"]


def test_what_is_no_table_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="no such prediction table"):
        read_predictions(tmp_path / "absent.parquet")
    (tmp_path / "text.parquet").write_text("not parquet")
    with pytest.raises(DataError, match="not a readable Parquet table"):
        read_predictions(tmp_path / "text.parquet")
    pq.write_table(pq.read_table(_written(tmp_path)).drop_columns(["label"]), tmp_path / "part.parquet")
    with pytest.raises(DataError, match="does not have the form in which it was written"):
        read_predictions(tmp_path / "part.parquet")


def test_predictions_must_fit_together():
    good = predictions()
    with pytest.raises(ValueError, match="do not fit together"):
        Predictions(good.ids[:-1], good.groups, good.labels, good.logits, good.probabilities, good.calibrated)
    twice = (good.ids[0], good.ids[0], *good.ids[2:])
    with pytest.raises(ValueError, match="'image 0' is predicted twice"):
        Predictions(twice, good.groups, good.labels, good.logits, good.probabilities, good.calibrated)
    with pytest.raises(ValueError, match="3 columns for 2 classes"):
        write_predictions(_anywhere(), good, CLASSES[:2])


def _written(folder):
    write_predictions(folder / "whole.parquet", predictions(), CLASSES)
    return folder / "whole.parquet"


def _anywhere():
    from pathlib import Path

    return Path("never-written.parquet")
