"""F3, F6, B7. Nothing outside the recipe decides a number; a golden run stays what it was; nothing grows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
GOLDEN = HERE / "golden.json"
SHUFFLED = HERE / "shuffled.py"
WORLDS = {
    "hash seed 0, C": {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC"},
    "hash seed 1, UTF-8, Kiritimati": {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "Pacific/Kiritimati"},
    "Turkish, Honolulu": {"PYTHONHASHSEED": "random", "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Honolulu"},
}


@pytest.mark.nightly
@pytest.mark.parametrize("world", WORLDS)
def test_f3_hash_seed_locale_time_zone_and_listing_order_decide_nothing(
    small: Any, environment: dict[str, str], finished: Path, contents: Callable[[Path], Any], tmp_path: Path, world: str
) -> None:
    """A process of its own, every listing of a folder shuffled, with a cache of its own."""
    words = small.words(tmp_path / "out")
    words[words.index("--cache") + 1] = str(tmp_path / "cache")
    found = subprocess.run(
        [sys.executable, str(SHUFFLED), *words],
        env={**environment, **WORLDS[world]}, cwd=tmp_path, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr[-2000:]
    assert "shuffled" in found.stdout
    assert contents(tmp_path / "out" / finished.name) == contents(finished)


@pytest.mark.parametrize("workers", [2, 4])
@pytest.mark.gate("F2")
def test_f2_any_number_of_reading_processes_gives_the_same_bytes(
    small: Any, finished: Path, contents: Callable[[Path], Any], tmp_path: Path, monkeypatch: Any, workers: int
) -> None:
    """Against the run without any; what stands ready in memory is then the same, so there is no prefetch to vary."""
    from skinframe.data import worker_pool as pool

    started: list[int] = []
    real = pool.ProcessPoolExecutor

    def counted(count: int, **more: Any) -> Any:
        started.append(count)
        return real(count, **more)

    monkeypatch.setattr(pool, "ProcessPoolExecutor", counted)
    monkeypatch.setattr(pool, "FEW", 10)  # a set as small as this is otherwise read without them
    folder = small.run(tmp_path, f"images.workers={workers}").folder
    assert started == [workers]
    found, own = contents(folder), contents(finished)
    assert found.keys() == own.keys()
    assert {name for name in own if found[name] != own[name]} == {"plan.yaml"}  # it names the number


def test_f3_the_shuffle_shuffles(tmp_path: Path) -> None:
    """Negative control: the order that a listing has in that process is another one."""
    for number in range(40):
        (tmp_path / f"{number:02d}").touch()
    code = (
        f"import runpy, os, pathlib; runpy.run_path({str(SHUFFLED)!r})['install']();"
        "print([e.name for e in os.scandir('.')], os.listdir(), [p.name for p in pathlib.Path('.').iterdir()],"
        " [p.name for p in pathlib.Path('.').glob('*')], sep='|')"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    orders = said.strip().split("|")
    assert len(orders) == 4
    assert all(order != str(os.listdir(tmp_path)) for order in orders)
    assert all(sorted(json.loads(order.replace("'", '"'))) == sorted(os.listdir(tmp_path)) for order in orders)


def figures(run: Path) -> dict[str, Any]:
    """What the golden file keeps of a run: order and split to the letter, numbers of the training and the test."""
    import pyarrow.parquet as pq

    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    test = pq.read_table(run / "predictions" / "test.parquet").to_pydict()
    return {
        "split": json.loads((run / "split.json").read_text())["parts"],
        "test ids": test["id"],
        "labels": test["label"],
        "total": [line["total"] for line in log],
        "parts": {name: [line["parts"][name].get("value", 0.0) for line in log] for name in log[0]["parts"]},
        "logits": [test[name] for name in sorted(test) if name.startswith("logit:")],
    }


@pytest.mark.nightly
def test_f6_the_golden_run_is_unchanged(finished: Path) -> None:
    """Words exactly, numbers within 2e-3: the same on every processor (T2). After a wanted change write the file anew
    with `python tests/faults/golden.py` and say in docs/changelog.md why.
    """
    golden, found = json.loads(GOLDEN.read_text()), figures(finished)
    assert found.keys() == golden.keys()
    for name in ("split", "test ids", "labels"):
        assert found[name] == golden[name], name
    for name in ("total", "logits"):
        np.testing.assert_allclose(found[name], golden[name], rtol=2e-3, atol=2e-3, err_msg=name)
    assert found["parts"].keys() == golden["parts"].keys()
    for name, values in golden["parts"].items():
        np.testing.assert_allclose(found["parts"][name], values, rtol=2e-3, atol=2e-3, err_msg=name)


@pytest.mark.nightly
def test_f6_another_rate_is_not_the_golden_run(small: Any, tmp_path: Path) -> None:
    """Negative control: a learning rate a tenth higher is seen through the tolerance."""
    found = figures(small.run(tmp_path, "train.lr=0.0011").folder)
    golden = json.loads(GOLDEN.read_text())
    assert found["split"] == golden["split"]
    assert not np.allclose(found["total"], golden["total"], rtol=2e-3, atol=2e-3)


PROBE = """
heads: {classify: {use: pooled_linear, config: {gives: logits}}}
losses:
  focal: {enabled: false}
  alignment: {enabled: false}
  calibration: {enabled: false}
  rationale: {enabled: false}
  cross_entropy: {use: cross_entropy, config: {class_weights: none}}
"""


@pytest.mark.nightly
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc for memory and descriptors")
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("method", "thousands"), [("probe", 10), ("whole", 2)])
def test_b7_nothing_grows_over_thousands_of_cached_steps(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, thousands: int
) -> None:
    """Resident memory and open files, read in each step: their peaks in the last thousand against the second's."""
    import skinframe.train.training_loop as loop

    sizes: list[tuple[int, int]] = []
    real = loop.append

    def watched(*arguments: Any) -> None:
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        sizes.append((resident, len(os.listdir("/proc/self/fd"))))
        real(*arguments)

    preset = tmp_path / "probe.yaml"
    preset.write_text(PROBE if method == "probe" else "{}\n")
    monkeypatch.setattr(loop, "append", watched)
    epochs = thousands * 1000 // 38 + 1  # about 40 training samples, one a step
    small.run(
        tmp_path / "out", f"train.epochs={epochs}", "train.batch_size=1", "train.gradient_norms_every=100",
        "evaluate.resamples=2", "evaluate.max_new_tokens=1", "evaluate.cases=0", presets=[str(preset)],
    )  # fmt: skip
    assert len(sizes) >= thousands * 1000
    first, last = sizes[len(sizes) // thousands : 2 * len(sizes) // thousands], sizes[-len(sizes) // thousands :]
    first = first if thousands > 2 else sizes[len(sizes) // 4 : len(sizes) // 2]
    growth = max(size for size, _ in last) / max(size for size, _ in first) - 1
    print(f"{method}: {len(sizes)} steps, {max(size for size, _ in last) / 1e6:.1f} MB, growth {growth:.3%}")
    assert growth < 0.01
    assert max(files for _, files in last) <= max(files for _, files in first)
