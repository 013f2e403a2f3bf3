"""A checkpoint stands whole or does not count."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.errors import RecipeError
from skinframe.train.checkpoint import load_checkpoint, newest_checkpoint, save_checkpoint

STATE = {"tokens": 64, "log_bytes": 0, "ties": {}}


def save(folder: Path, epoch: int) -> None:
    save_checkpoint(
        folder, epoch, {"model": {"w": torch.full((3,), float(epoch))}, "losses": {}}, {**STATE, "step": 5 * epoch}
    )


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    save(tmp_path, 0)
    save(tmp_path, 1)
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert (found.epoch, found.state["step"]) == (1, 5)
    assert torch.equal(found.tensors("model")["w"], torch.ones(3))
    assert found.tensors("losses") == {}


def test_none_was_ever_written(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path) is None
    assert newest_checkpoint(tmp_path / "nowhere") is None


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.sampled_from(["model.safetensors", "state.json", "losses.safetensors", "MANIFEST.json"]), st.data())
def test_any_single_flipped_bit_is_found(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    """Of files and manifest alike, the manifest's spacing included."""
    folder = tmp_path_factory.mktemp("flip")
    save(folder, 0)
    path = folder / "epoch-000" / name
    content = bytearray(path.read_bytes())
    spot = data.draw(st.integers(0, len(content) - 1))
    content[spot] ^= 1 << data.draw(st.integers(0, 6))
    path.write_bytes(content)
    assert load_checkpoint(folder / "epoch-000") is None
    with pytest.raises(RecipeError, match="no checkpoint matches its hashes"):
        newest_checkpoint(folder)


def test_a_damaged_epoch_is_written_again(tmp_path: Path) -> None:
    save(tmp_path, 0)
    save(tmp_path, 1)
    (tmp_path / "epoch-001" / "model.safetensors").write_bytes(b"")
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert found.epoch == 0
    save(tmp_path, 1)
    again = newest_checkpoint(tmp_path)
    assert again is not None
    assert again.epoch == 1


def test_parts_of_an_epoch_go_once_a_newer_checkpoint_stands(tmp_path: Path) -> None:
    """Also those of an epoch before, which a kill between its checkpoint and their removal left behind."""
    tensors = {"model": {"w": torch.ones(3)}}
    for position in (3, 6):
        save_checkpoint(tmp_path, 0, tensors, {**STATE, "step": position}, position)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-000-at-00006"]
    kept = (tmp_path / "epoch-000-at-00006").rename(tmp_path / "aside")
    save(tmp_path, 0)
    kept.rename(tmp_path / "epoch-000-at-00006")
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert found.position is None
    save(tmp_path, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-000", "epoch-001"]


def test_half_written_folders_are_no_checkpoints(tmp_path: Path) -> None:
    save(tmp_path, 0)
    (tmp_path / "epoch-001.tmp-12345678").mkdir()
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert found.epoch == 0
    save(tmp_path, 1)
    assert not list(tmp_path.glob("*.tmp-*"))
