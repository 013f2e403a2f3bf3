"""Features on Ray Data: the bytes of a local extraction, also with a worker killed, and never computed twice."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import skinframe
from skinframe.errors import DataError, RecipeError, SkinframeError, WorkerError
from skinframe.features import verify
from skinframe.grid.engines.engine_base import spread_of
from skinframe.grid.engines.ray_cluster import imported
from skinframe.grid.run_request import Request
from skinframe.preparing.prepare import prepare
from skinframe.preparing.remote_features import ShardEngine, WantedRow
from skinframe.progress import Display

VIEWS = "train.views=8"  # 480 rows of 60 images: two shards
PLUGIN = """
import os
import signal

import skinframe


class Failing(skinframe.Encoder):
    name = "failing"

    def provides(self):
        return dict(image_tokens=(64, 128), image_embedding=(64,), text_embedding=(64,))

    def digest(self):
        return "0" * 64

    def load(self, device):
        {failure}


@skinframe.hookimpl
def register_encoders():
    return [Failing]
"""
Extract = Callable[..., dict[str, bytes]]


def shards(cache: Path) -> dict[str, bytes]:
    """Every file of the image features by name."""
    files = [path for path in sorted(cache.rglob("image-*/*")) if path.is_file()]
    return {path.relative_to(cache).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def extract(small: Any, tmp_path: Path) -> Extract:
    """Return a function that extracts the small recipe's features and returns the files."""

    def make(name: str, engine: str, *overrides: str, plugins: tuple[str, ...] = ()) -> dict[str, bytes]:
        words = (*small.overrides, *overrides)
        request = Request(recipe=str(small.recipe), overrides=words, plugins=plugins)
        plan = request.plan()
        spread: ShardEngine | None = spread_of(engine, request, threads=1)
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        prepare(plan, folder, tmp_path / name, "cpu", Display(quiet=True), spread=spread)
        return shards(tmp_path / name)

    return make


def test_the_bytes_are_those_of_a_local_extraction_and_nothing_is_computed_twice(
    extract: Extract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = extract("ray", "ray", VIEWS)
    assert there == extract("local", "local", VIEWS)
    assert sum(name.endswith(".safetensors") for name in there) == 2
    assert {one.state for one in verify(tmp_path / "ray")} == {"whole"}
    monkeypatch.setattr(imported(), "init", None)  # no cluster can be started any more
    assert extract("ray", "ray", VIEWS) == there
    with pytest.raises(RecipeError, match="no cluster answers"):
        extract("ray", "ray", VIEWS, "data.config.images=61")


def test_a_worker_that_is_killed_is_replaced(extract: Extract, tmp_path: Path) -> None:
    killed: list[int] = []
    images = "data.config.images=300"  # ten shards

    def kill() -> None:
        while not killed:
            time.sleep(0.05)
            if list((tmp_path / "ray").rglob("image-*/*.safetensors")):
                for pid in workers():
                    os.kill(pid, signal.SIGKILL)
                    killed.append(len(list((tmp_path / "ray").rglob("image-*/*.json"))))

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    there = extract("ray", "ray", VIEWS, images)
    assert killed
    assert killed[0] < 10
    assert there == extract("local", "local", VIEWS, images)


@pytest.mark.parametrize(
    ("failure", "error", "message"),
    [
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            DataError,
            "features of clip: an extraction process was lost 4 times",
        ),
        (
            "raise ValueError('these weights are torn')",
            WorkerError,
            "(?s)Traceback.*ValueError: these weights are torn",
        ),
    ],
)
def test_an_encoder_of_a_file_that_always_fails_ends_it_with_a_message(
    extract: Extract, tmp_path: Path, failure: str, error: type[SkinframeError], message: str
) -> None:
    plugin = tmp_path / "failing.py"
    plugin.write_text(PLUGIN.format(failure=failure))
    with pytest.raises(error, match=message) as caught:
        extract("ray", "ray", "encoders.clip.use=failing", plugins=(str(plugin),))
    assert caught.value.exit_code == (1 if error is WorkerError else 3)
    assert not imported().is_initialized()


@pytest.mark.parametrize(
    ("fingerprint", "code", "message"),
    [
        ("own", 3, "its image changed during the run"),
        ("0" * 64, 2, "plan: differs in the worker"),
    ],
)
def test_what_is_wrong_in_a_worker_is_said_once(
    small: Any, tmp_path: Path, fingerprint: str, code: int, message: str
) -> None:
    request = Request(recipe=str(small.recipe), overrides=small.overrides)
    spread = spread_of("ray", request, threads=1)
    assert spread is not None
    known = request.plan().fingerprint if fingerprint == "own" else fingerprint
    with pytest.raises(WorkerError, match=message) as caught:
        list(spread("clip", known, tmp_path, [[WantedRow("row", 0, "0" * 64, 0)]]))
    assert caught.value.exit_code == code
    assert not imported().is_initialized()


def workers() -> list[int]:
    """The processes of this user in which Ray Data's actors work; Linux only."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"MapWorker" in path.read_bytes() and path.stat().st_uid == os.getuid():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_a_whole_run_has_the_figures_of_a_local_one(small: Any, tmp_path: Path) -> None:
    quick = [*small.overrides, "train.epochs=1", "evaluate.explain=false"]
    options = {"overrides": quick, "cache": tmp_path / "cache", "quiet": True}
    there = skinframe.run(small.recipe, out=tmp_path / "ray", engine="ray", **options)
    here = skinframe.run(small.recipe, out=tmp_path / "local", overrides=quick, cache=small.cache, quiet=True)
    for name in ("metrics.json", "predictions/test.parquet"):
        assert (there.folder / name).read_bytes() == (here.folder / name).read_bytes()
    assert not imported().is_initialized()
