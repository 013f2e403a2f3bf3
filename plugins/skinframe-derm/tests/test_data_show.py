"""`skinframe data show`: the label map of every set, what is left out, whether the rows are the published ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from layouts import LAYOUTS
from skinframe_derm import Isic2019, PadUfes20
from skinframe_derm.dataset_facts import read_facts

import skinframe
from skinframe.curating.data_command_text import shown
from skinframe.curating.data_source import DataSource


def text_of(data: skinframe.Dataset) -> str:
    return shown(DataSource(name=data.name, dataset=data))


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "table"])
def test_every_label_is_mapped_with_and_without_the_data(name: str, tmp_path: Path) -> None:
    layout, facts = LAYOUTS[name], read_facts(name)
    for text in (text_of(layout.write(tmp_path)), text_of(layout.kind())):
        lines = [line.split() for line in text.splitlines()]
        for own, shared in facts.labels.items():
            assert any(line[: len(own.split())] == own.split() and {*shared.values()} <= {*line} for line in lines), own
    assert "next: " in text_of(layout.kind())


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    text = text_of(LAYOUTS["fitzpatrick17k"].write(tmp_path))
    assert "left out, as this label set has no class for them: 1 of the rows\n  psoriasis" in text


def test_a_part_of_a_set_is_not_called_the_published_one(tmp_path: Path) -> None:
    assert "\nnot the published rows: 2 of 25,331" in text_of(LAYOUTS["isic2019"].write(tmp_path))
    derm7pt = text_of(LAYOUTS["derm7pt"].write(tmp_path / "d"))
    assert "\n2 of 1,011 published rows; no checksum of them is known" in derm7pt
    sha = read_facts("pad_ufes_20").rows_sha256
    assert len(sha) == 64
    assert sha in PadUfes20().missing()[0].next_step
    binary = Isic2019(Isic2019.Config(root=str(tmp_path), label_set="malignancy"))
    assert binary.published().startswith("not compared") or not binary.left_out()
