"""What a user may ask wrongly of a grid: one message, its code, nothing started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skinframe import cli

WRONG = [
    ("ablate", ["--over", "losses.algnment"], "did you mean 'alignment'"),
    ("ablate", ["--over", "losses.alignment", "--over", "losses.alignment"], "appears twice"),
    ("ablate", ["--over", "losses.focal.config.gama=0"], "did you mean 'gamma'"),
    ("ablate", ["--over", "losses.focal.config.gamma=2"], "is the same run as 'whole'"),
    ("ablate", ["--over", "losses.alignment", "--seeds", "0"], "--seeds: must be at least 1, got 0"),
    ("ablate", ["--over", "losses.alignment", "--metric", "nnl"], "no metric named 'nnl'; did you mean 'nll'"),
    ("ablate", ["--over", "losses.alignment", "--arms", "factorail"], "did you mean 'factorial'"),
    ("ablate", ["--over", "losses.alignment", "--engine", "slurm"], "no such engine; known: local, ray"),
    ("ablate", ["--over", "losses.alignment", "--workers", "-1"], "must be at least 1, got -1"),
    ("ablate", ["--arms", "factorial"], "no loss is enabled"),
    ("ablate", ["--against", "nowhere.yaml"], "no such file"),
    ("ablate", ["--over", "losses.alignment", "--share", "3/2"], "must be I/N with I from 1 to N"),
    ("sweep", ["--over", "losses.alignment.weight"], "expected PATH=VALUE,VALUE"),
    ("sweep", ["--over", "losses.alignment.weight=0.5"], "expected PATH=VALUE,VALUE"),
    ("sweep", ["--over", "losses.alignment.wieght=0,1"], "did you mean 'weight'"),
    ("sweep", ["--over", "losses.alignment.weight=0.5,0.50"], "is the same run as"),
    ("learning-curve", ["--fractions", "0,1"], "two different shares in (0, 1]"),
    ("learning-curve", ["--fractions", "1"], "two different shares in (0, 1]"),
]


@pytest.mark.parametrize(("verb", "more", "said"), WRONG, ids=lambda value: value if isinstance(value, str) else None)
def test_refused_in_one_message(
    verb: str,
    more: list[str],
    said: str,
    words: Callable[..., list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(words(tmp_path, *more, verb=verb, over=""))
    printed = capsys.readouterr()
    assert end.value.code == 2
    assert said in printed.err
    assert "Traceback" not in printed.err
    assert not printed.out
    assert not list(tmp_path.iterdir())
