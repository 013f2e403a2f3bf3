"""A run judged on another set: labels go through a vocabulary that both sets have, and copies of images are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skinframe_derm import Ham10000, PadUfes20

from skinframe.data.group_split import from_parts
from skinframe.errors import DataError
from skinframe.predicting.relabelled_dataset import relabelled
from skinframe.preparing.known_images import FILE, same_files, write_known_images
from skinframe.sample import Sample

HAM7 = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


def pad(monkeypatch: pytest.MonkeyPatch) -> PadUfes20:
    dataset = PadUfes20()
    maps = dataset.label_map()
    classes = tuple(maps)
    samples = [
        Sample(id=name, image=f"{name}.png", label=classes.index(name), labels={"own": name, **maps[name]})
        for name in classes
    ]
    monkeypatch.setattr(PadUfes20, "samples", lambda self: samples)
    monkeypatch.setattr(PadUfes20, "left_out", lambda self: {})
    return dataset


def test_a_run_of_seven_classes_reads_smartphone_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = relabelled(pad(monkeypatch), Ham10000(), HAM7)
    assert mapped is not None
    assert mapped.classes == HAM7
    named = {sample.id: HAM7[sample.label] for sample in mapped.samples()}
    assert named == {"BCC": "bcc", "NEV": "nv", "SEK": "bkl", "MEL": "mel"}
    assert dict(mapped.left_out()) == {"ACK": 1, "SCC": 1}
    assert "2 images of ACK, SCC are left out" in mapped.note()


def test_a_run_of_benign_and_malignant_reads_them_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = relabelled(pad(monkeypatch), Ham10000(), ("benign", "malignant"))
    assert mapped is not None
    assert {sample.id: sample.label for sample in mapped.samples()} == {
        "BCC": 1,
        "NEV": 0,
        "SEK": 0,
        "SCC": 1,
        "MEL": 1,
    }


def test_classes_without_a_common_word_are_not_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert relabelled(pad(monkeypatch), Ham10000(), ("acne", "eczema")) is None


def test_images_of_the_training_are_found_by_their_bytes(tmp_path: Path) -> None:
    keys = [f"{value:064x}" for value in np.arange(2**60, 2**60 + 6)]
    keys = [f"{i}{key[1:]}" for i, key in enumerate(keys)]
    samples = [Sample(id=str(i), image="x", label=0) for i in range(6)]
    split = from_parts(samples, ["train", "train", "valid", "test", "test", "unused"])
    assert same_files(tmp_path, keys) is None
    write_known_images(tmp_path, split, keys)
    assert same_files(tmp_path, keys) == [0, 1, 2]
    assert same_files(tmp_path, keys[3:]) == []
    (tmp_path / FILE).write_text("[]")
    with pytest.raises(DataError, match=FILE):
        same_files(tmp_path, keys)
