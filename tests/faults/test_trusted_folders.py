"""A run folder, a checkpoint and a cache say what was exchanged in them, and nothing exchanged answers."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import skinframe
import skinframe.atomic_write as durable
from skinframe.errors import NotWholeError, RecipeError, SkinframeError
from skinframe.running.verify_files import FILES, SEAL


def _drop_entry(run: Path) -> None:
    entries = json.loads((run / FILES).read_text())
    del entries["metrics.json"]
    (run / "metrics.json").unlink()
    (run / FILES).write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n")


def _exchange(run: Path) -> None:
    for name in ("000", "001"):
        (run / "checkpoints" / f"epoch-{name}").rename(run / f"moved-{name}")
    (run / "moved-000").rename(run / "checkpoints" / "epoch-001")
    (run / "moved-001").rename(run / "checkpoints" / "epoch-000")


def _pipe(run: Path) -> None:
    (run / "split.json").unlink()
    os.mkfifo(run / "split.json")


def _device(run: Path) -> None:
    (run / "split.json").unlink()
    (run / "split.json").symlink_to("/dev/zero")


def _lead_out(run: Path) -> None:
    entries = json.loads((run / FILES).read_text())
    entries["../outside"] = entries["split.json"]
    (run.parent / "outside").write_bytes((run / "split.json").read_bytes())
    (run / FILES).write_text(json.dumps(entries))
    durable.write_atomic(run / SEAL, f"{durable.sha256_of(run / FILES)}  {FILES}\n".encode())


CHANGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "replaced page": (lambda run: (run / "report.html").write_text("<p>better"), "report.html"),
    "added file": (lambda run: (run / "changes.json").write_text("[]"), "changes.json"),
    "added file in a folder": (lambda run: (run / "predictions" / "more.parquet").write_text(""), "more.parquet"),
    "removed checkpoint": (lambda run: shutil.rmtree(run / "checkpoints" / "epoch-001"), "epoch-001"),
    "exchanged checkpoints": (_exchange, "epoch-000"),
    "entry taken out": (_drop_entry, FILES),
    "list removed": (lambda run: (run / FILES).unlink(), FILES),
    "hash of the list removed": (lambda run: (run / SEAL).unlink(), SEAL),
    "both removed": (lambda run: [(run / name).unlink() for name in (FILES, SEAL)], FILES),
    "list is text": (lambda run: (run / FILES).write_text("no list"), FILES),
    "list of lists": (lambda run: (run / FILES).write_text("[" * 5000), FILES),
    "pipe": (_pipe, "split.json"),
    "endless device": (_device, "split.json"),
    "a name outside": (_lead_out, "outside"),
    "alias bomb as plan": (lambda run: (run / "plan.yaml").write_text("a: &a [x]\nb: [*a]"), "plan.yaml"),
}


@pytest.mark.parametrize(("change", "named"), CHANGES.values(), ids=CHANGES)
def test_verify_names_each_change_of_a_run(copy: Path, change: Callable[[Path], Any], named: str) -> None:
    change(copy)
    with pytest.raises(NotWholeError) as found:
        skinframe.verify(copy)
    assert any("damaged:" in line and named in line for line in str(found.value).splitlines())


@pytest.mark.parametrize("name", [".DS_Store", "predictions/Thumbs.db", "checkpoints/epoch-001/.DS_Store"])
def test_what_file_managers_leave_is_named_and_no_damage(copy: Path, name: str) -> None:
    (copy / name).write_bytes(b"\x00")
    found = skinframe.verify(copy)
    assert [finding.path.name for finding in found.findings if finding.state == "added"] == [Path(name).name]


def test_a_rewritten_page_is_whole_again(copy: Path) -> None:
    skinframe.report(copy)
    skinframe.verify(copy)
    (copy / "metrics.json").write_text("{}")
    skinframe.report(copy)
    with pytest.raises(NotWholeError, match=r"metrics\.json"):
        skinframe.verify(copy)


def _another_run(epoch: Path) -> None:
    """As the same epoch of another run would be written: everything agrees but the fingerprint."""
    files = {name: (epoch / name).read_bytes() for name in durable.listed_in(epoch)}
    state = json.loads(files["state.json"]) | {"fingerprint": "0" * 64}
    files["state.json"] = json.dumps(state, indent=2, sort_keys=True).encode()
    shutil.rmtree(epoch)
    durable.write_folder(epoch, files)


def _another_epoch(epoch: Path) -> None:
    other = {"epoch-000": "epoch-001", "epoch-001": "epoch-000"}[epoch.name]
    shutil.rmtree(epoch)
    shutil.copytree(epoch.parent / other, epoch)


@pytest.mark.parametrize("exchange", [_another_run, _another_epoch])
def test_a_foreign_checkpoint_answers_nobody(copy: Path, photograph: Path, exchange: Callable[[Path], None]) -> None:
    chosen = json.loads((copy / "selection.json").read_text())["epoch"]
    epoch = copy / "checkpoints" / f"epoch-{chosen:03d}"
    exchange(epoch)
    with pytest.raises(NotWholeError, match=epoch.name):
        skinframe.verify(copy)
    with pytest.raises(RecipeError, match=r"its state\.json says|another run|with the fingerprint"):
        skinframe.predict(copy, [photograph])


def test_an_allowed_change_keeps_the_earlier_checkpoints(small: Any, copy: Path) -> None:
    small.run(copy.parent, "evaluate.resamples=3", resume=True, allow_change=["evaluate.resamples"])
    skinframe.verify(copy)
    noted = {change["key"] for change in json.loads((copy / "changes.json").read_text())}
    assert noted == {"evaluate.resamples", "fingerprint"}
    small.run(copy.parent, "evaluate.resamples=3", resume=True)
    skinframe.verify(copy)


@pytest.mark.parametrize("cause", ["data", "ties"])
def test_a_resume_that_ends_early_leaves_the_finished_run_whole(small: Any, copy: Path, cause: str) -> None:
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file() and path.name != ".lock"}
    override = "data.config.size=0" if cause == "data" else "evaluate.resamples=3"
    if cause == "ties":
        for epoch in ("000", "001"):
            shutil.rmtree(copy / "checkpoints" / f"epoch-{epoch}")
            (copy / "checkpoints" / f"epoch-{epoch}").mkdir()
        before = {path: data for path, data in before.items() if "checkpoints" not in path.parts}
    with pytest.raises(SkinframeError):
        small.run(copy.parent, override, resume=True, allow_change=[override.partition("=")[0]])
    for path, data in before.items():
        assert path.read_bytes() == data, path


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"sha256": "x", "value": []}', "[[0, 1]]", "no json", "[" * 9000, '{"sha256": 1, "value": {}}'],
)
def test_a_changed_search_for_copies_is_made_again(tmp_path: Path, text: str) -> None:
    from skinframe.preparing.run_split import _cached

    path = tmp_path / "near-0.json"
    durable.write_checked(path, [(0, 1)])
    assert _cached(path, 2) == [(0, 1)]
    assert _cached(path, 1) is None
    skinframe.verify(tmp_path)
    path.write_text(text)
    assert _cached(path, 2) is None
    with pytest.raises(NotWholeError, match="near-0"):
        skinframe.verify(tmp_path)
