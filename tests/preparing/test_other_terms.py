"""A run with terms that read masks, body sites, attributes and a learned offset."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import skinframe
from skinframe.components import BuildContext
from skinframe.data.columns import LesionCover, patch_cover, value_ids
from skinframe.errors import DataError
from skinframe.model.heads import AttributesHead
from skinframe.planning.address import column
from skinframe.preparing.prepare import prepare
from skinframe.preparing.run_feed import column_context, make_feed
from skinframe.progress import Display

PRESET = """
heads:
  project: {config: {bias: true}}
  checklist: {use: attributes}
losses:
  mask: {use: region_mask, weight: 0.1}
  pairs: {use: siglip, weight: 0.1, config: {bias: null, positives: class_and_site}}
  checklist: {use: asymmetric, weight: 0.1}
train: {views: 2, epochs: 1}
"""
ON = ("mask", "pairs", "checklist")


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("preset") / "other_terms.yaml"
    path.write_text(PRESET)
    return str(path)


@pytest.fixture(scope="module")
def plan(small: Any, preset: str) -> Any:
    return skinframe.plan(small.recipe, presets=[preset], overrides=small.overrides)


@pytest.fixture(scope="module")
def prepared(small: Any, plan: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return prepare(plan, tmp_path_factory.mktemp("prepared"), small.cache, "cpu", Display(quiet=True))


@pytest.fixture(scope="module")
def lines(small: Any, preset: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder: Path = small.run(tmp_path_factory.mktemp("out"), presets=[preset]).folder
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_every_term_learns(lines: list[dict[str, Any]]) -> None:
    for name in ON:
        assert all(line["parts"][name]["value"] > 0 for line in lines)
        assert lines[0]["parts"][name]["grad_norm"] > 0


def test_the_log_has_the_scale_and_whether_it_was_clamped(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        for name in ("alignment", "pairs"):
            assert line["parts"][name]["scale"] == pytest.approx(14, rel=0.1)
            assert line["parts"][name]["scale_clamped"] == 0
        assert "scale" not in line["parts"]["focal"]


def _context(prepared: Any) -> Any:
    return column_context(prepared.plan, prepared.samples, prepared.split, prepared.turned_mask)


def test_the_cover_is_the_mask_as_the_encoder_sees_it(prepared: Any) -> None:
    get, rows = LesionCover().bind(_context(prepared)), list(range(len(prepared.samples)))
    cover = torch.stack([get(rows, [view] * len(rows), 0) for view in (0, 1)], dim=1)
    train, side = list(prepared.split.train), round(cover.shape[2] ** 0.5)
    assert cover[train].isfinite().all()
    assert cover[list(prepared.split.test)].isnan().all()
    for row in train[:5]:
        expected = patch_cover(prepared.seen_mask(row, "lesion"), side, side)
        assert np.allclose(cover[row, 0].reshape(side, side), expected, atol=1e-6)
        mirrored = cover[row, 1].reshape(side, side).flip(1)  # view 1 is the mirror image
        assert torch.allclose(mirrored, cover[row, 0].reshape(side, side), atol=0.1)


def test_masks_are_read_only_where_a_term_reads_them(
    small: Any, prepared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = skinframe.plan(small.recipe, overrides=small.overrides)
    assert column("lesion_cover") not in plain.graph.used
    assert column("lesion_cover") in prepared.plan.graph.used
    monkeypatch.setattr(LesionCover, "bind", lambda self, context: pytest.fail("masks were read"))
    feed = make_feed(replace(prepared, plan=plain), SimpleNamespace(reasoner=None))
    assert "batch.labels" in feed.batch([0], [0], plain.graph.wanted - {column("rationale_targets")})


def test_data_without_masks_is_refused(prepared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(prepared.plan.parts.dataset), "masks", lambda self, sample: {})
    with pytest.raises(DataError, match=r"no training image has a lesion mask; leave the term out"):
        LesionCover().bind(_context(prepared))


def test_attributes_that_the_data_does_not_state_are_refused() -> None:
    with pytest.raises(ValueError, match="states no attributes to score"):
        AttributesHead().build(BuildContext(classes=("a",), shapes={"hidden": (4,)}, seed=0))


def test_ids_of_values() -> None:
    assert value_ids(["back", None, "face", "back"]).tolist() == [0, -1, 1, 0]
