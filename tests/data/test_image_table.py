import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from skinframe import DataError, Sample
from skinframe.data.image_table import image_table, refuse_unusable

HERE = Path(__file__).parent


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.syspath_prepend(str(HERE))
    import slow_set

    return slow_set.SlowSet()


@pytest.mark.parametrize("workers", [1, 2])
def test_keys_are_the_hash_of_the_bytes_and_bad_images_are_listed(slow, workers: int) -> None:  # type: ignore[no-untyped-def]
    samples = slow.samples()
    counted: list[int] = []
    table = image_table(slow, samples, policy="quarantine", max_fraction=0.02, workers=workers, progress=counted.append)
    assert counted == list(range(1, 151))
    assert [name for name, _ in table.quarantined] == ["s0007", "s0057", "s0107"]
    assert all("is not a JPEG or PNG" in reason for _, reason in table.quarantined)
    for index, sample in enumerate(samples):
        expected = None if index in (7, 57, 107) else hashlib.sha256(slow.image_bytes(sample)).hexdigest()
        assert table.keys[index] == expected
    assert table.image(3).size == (20, 20)
    with pytest.raises(DataError, match="sample s0007: its image is quarantined"):
        table.image(7)


def test_policy_error_lists_all_and_a_limit_holds(slow) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(
        DataError, match=r"3 of 150 cannot be used(.|\n)*sample s0007: is not a JPEG.*2 more like it: s0057, s0107"
    ):
        image_table(slow, slow.samples(), workers=1)
    with pytest.raises(DataError, match=r"3 of 150 cannot be used; images.max_fraction allows 1.0%"):
        image_table(slow, slow.samples(), policy="quarantine", workers=1)


def test_memory_limit_and_an_image_that_changes(slow, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    samples = [sample for sample in slow.samples()[:40] if sample.id != "s0007"]
    table = image_table(slow, samples, keep_bytes=4000)
    assert 0 < sum(map(len, table.kept.values())) <= 4000
    assert len(table.kept) < len(samples)
    other = slow.image_bytes(samples[0])
    monkeypatch.setattr(type(slow), "image_bytes", lambda self, sample: other)
    assert table.image(0).size == (20, 20)
    with pytest.raises(DataError, match="s0039: its image changed during the run"):
        table.image(len(samples) - 1)


def test_a_class_of_this_module_is_read_serially(slow) -> None:  # type: ignore[no-untyped-def]
    class Local(type(slow)):  # type: ignore[misc]
        pass

    samples = [Sample(id=f"s{i:04d}", image="x", label=0) for i in range(1000, 1200) if i % 50 != 7]
    assert all(image_table(Local(), samples, workers=2).keys)


def start() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "slow_script.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    assert process.stdout.readline() == "1\n"  # "started" again would be a worker running the script
    return process


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_or_killed_it_ends_soon_and_leaves_no_process(sent: signal.Signals) -> None:
    process = start()
    if sent == signal.SIGINT:
        os.killpg(process.pid, sent)  # as a terminal does: to the workers too
    else:
        process.kill()
    _, said = process.communicate(timeout=20)
    assert process.returncode != 0
    assert said.count("Traceback") <= 1, said
    deadline = time.monotonic() + 10
    while alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(process.pid)


def test_b8_a_worker_that_is_killed_is_named(slow) -> None:  # type: ignore[no-untyped-def]
    import slow_set

    deadly = slow_set.DeadlySet()
    with pytest.raises(
        DataError, match=r"worker process \d+ was killed by SIGKILL, possibly out of memory; rerun with"
    ):
        image_table(deadly, deadly.samples(), workers=2)


def test_b8_a_worker_that_hangs_is_named_and_ended(slow) -> None:  # type: ignore[no-untyped-def]
    """Nothing waits for ever, and no process is left; the worker's start counts as waiting here, too."""
    import slow_set

    stuck = slow_set.StuckSet()
    before = {child.pid for child in multiprocessing.active_children()}
    with pytest.raises(
        DataError, match=r"no progress for 5 s in the worker at items \d+ to \d+ of 150 \(processes"
    ) as found:
        image_table(stuck, stuck.samples(), workers=2, patience=5)
    assert "raise images.patience (seconds)" in str(found.value)
    assert found.value.exit_code == 3
    deadline = time.monotonic() + 10
    while {child.pid for child in multiprocessing.active_children()} - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert {child.pid for child in multiprocessing.active_children()} <= before


class Counter:
    """Counts one image more at each look, `most` times: a slow worker, which then hangs."""

    def __init__(self, most: int) -> None:
        self.looks, self.most = 0, most

    @property
    def value(self) -> int:
        self.looks += 1
        return min(self.looks, self.most)


def test_b8_images_that_take_long_are_waited_for_while_one_after_another_is_read() -> None:
    from skinframe.data import worker_pool as pool

    for most in (0, 100):
        counter, chunk = Counter(most), Future()  # type: ignore[var-annotated]
        with pytest.raises(pool._HangError):
            pool._wait_for(chunk, counter, 0.02)
        assert counter.looks == pytest.approx(most + 2 * pool.TICKS, abs=4)
    chunk = Future()
    chunk.set_result([3])
    assert pool._wait_for(chunk, Counter(0), 0.02) == [3]


def test_one_cause_is_one_line_with_its_count() -> None:
    samples = [Sample(id=f"s{i}", image=f"{i}.jpg", label=0) for i in range(800)]
    unusable = [(f"s{i}", "no such file" if i % 2 else f"is {i} x {i} pixels") for i in range(800)]
    with pytest.raises(DataError) as caught:
        refuse_unusable(unusable, samples, "quarantine", 1.0)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("images: 800 of 800 cannot be used; none is left; check the data set's folder")
    assert len(lines) == 3
    assert all("399 more like it" in line for line in lines[1:])
    refuse_unusable(unusable[:16], samples, "quarantine", 0.02)
