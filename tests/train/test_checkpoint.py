"""A checkpoint stands whole or does not count."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.errors import RecipeError
from skinframe.train.checkpoint import (
    keep_only,
    load_checkpoint,
    newest_checkpoint,
    plain_history,
    read_history,
    save_checkpoint,
)

STATE = {"tokens": 64, "log_bytes": 0, "ties": {}}


def save(folder: Path, epoch: int) -> None:
    save_checkpoint(
        folder,
        epoch,
        {"model": {"w": torch.full((3,), float(epoch))}, "losses": {}, "optimiser": {"m": torch.ones(2)}},
        {**STATE, "step": 5 * epoch},
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
    tensors = {"model": {"w": torch.ones(3)}, "optimiser": {}}
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


def test_only_what_is_needed_is_kept_and_the_optimiser_only_where_a_resume_begins(tmp_path: Path) -> None:
    for epoch in range(6):
        save(tmp_path, epoch)
    keep_only(tmp_path, resumable={3, 4}, weights={1, 4})
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"epoch-00{n}" for n in (1, 3, 4, 5)]  # 5 is not ours
    slim = load_checkpoint(tmp_path / "epoch-001")
    assert slim is not None
    assert torch.equal(slim.tensors("model")["w"], torch.ones(3))
    assert slim.state["step"] == 5
    assert [(tmp_path / f"epoch-00{n}" / "optimiser.safetensors").is_file() for n in (1, 3, 4)] == [False, True, True]
    keep_only(tmp_path, resumable={3, 4}, weights={1, 4})  # twice is once
    assert load_checkpoint(tmp_path / "epoch-001") is not None


def test_a_checkpoint_without_an_optimiser_is_no_start(tmp_path: Path) -> None:
    for epoch in range(3):
        save(tmp_path, epoch)
    keep_only(tmp_path, resumable={1, 2}, weights={0})
    for epoch in (1, 2):
        found = newest_checkpoint(tmp_path)
        assert found is not None
        assert found.epoch == 3 - epoch
        (tmp_path / f"epoch-00{3 - epoch}" / "MANIFEST.json").unlink()
    with pytest.raises(RecipeError, match="no checkpoint matches its hashes"):
        newest_checkpoint(tmp_path)


def test_a_damaged_checkpoint_does_not_become_a_verified_one(tmp_path: Path) -> None:
    save(tmp_path, 0)
    save(tmp_path, 1)
    (tmp_path / "epoch-000" / "model.safetensors").write_bytes(b"other")
    keep_only(tmp_path, resumable={1}, weights={0})
    assert load_checkpoint(tmp_path / "epoch-000") is None


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_while_an_optimiser_is_removed_loses_no_weights(tmp_path: Path, moment: str) -> None:
    """Before the old folder is renamed away both stand; after it, only the new one, under its working name."""
    save(tmp_path, 0)
    save(tmp_path, 1)
    keep_only(tmp_path, resumable={1}, weights={0})
    slim = (tmp_path / "epoch-000").rename(tmp_path / "epoch-000-slim")
    if moment == "before":
        save(tmp_path, 0)
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    assert newest.epoch == 1
    assert not slim.exists()
    kept = load_checkpoint(tmp_path / "epoch-000")
    assert kept is not None
    assert torch.equal(kept.tensors("model")["w"], torch.zeros(3))
    assert (tmp_path / "epoch-000" / "optimiser.safetensors").is_file() == (moment == "before")


def test_undefined_figures_survive_json() -> None:
    history = [{"nll": 0.5, "auroc": float("nan")}]
    plain = plain_history(history)
    assert plain == [{"nll": 0.5, "auroc": None}]
    (back,) = read_history(plain)
    assert back["nll"] == 0.5
    assert back["auroc"] != back["auroc"]
