"""The time left is that of the work done here, and is shown only once it can be told."""

from __future__ import annotations

import pytest

from skinframe.cli import _how_to_continue
from skinframe.progress import Rate


def test_no_time_is_shown_before_the_work_has_settled() -> None:
    rate = Rate()
    rate.seen(1, 10.0)
    assert rate.text(1, 3000, 20.0) == ""
    assert rate.text(2, 3000, 11.0) == ""


@pytest.mark.parametrize(
    ("before", "done", "seconds", "total", "text"),
    [
        (0, 100, 10.0, 1100, " · 10.0/s · 100 s left"),
        (900, 1000, 10.0, 1100, " · 10.0/s · 10 s left"),  # 900 were in the cache
        (0, 100, 100.0, 1000, " · 1.0/s · 15 min left"),
        (0, 10, 100.0, 4000, " · 0.1/s · 11.1 h left"),
        (5, 100, 9.5, 100, " · 10.0/s · 0 s left"),
    ],
)
def test_what_was_there_before_and_starting_up_do_not_count(
    before: int, done: int, seconds: float, total: int, text: str
) -> None:
    rate = Rate()
    rate.seen(before, 500.0)
    rate.seen(done, 500.0 + seconds)
    assert rate.text(done, total, 500.0 + seconds) == text


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["run", "cfa_full"], "with --resume continues"),
        (["sweep", "cfa_full", "--over", "x=1"], "completed runs are not repeated"),
        (["--debug", "ablate", "cfa_full"], "completed runs are not repeated"),
        (["data", "audit", "ham10000"], "run the command again"),
        ([], "run the command again"),
    ],
)
def test_a_stopped_command_advises_what_it_has(words: list[str], advice: str) -> None:
    assert advice in _how_to_continue(words)
