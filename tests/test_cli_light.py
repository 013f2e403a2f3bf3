"""What must answer at once loads nothing heavy: help, listings, and a plan that fails."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

HEAVY = ("torch", "transformers", "open_clip", "peft", "bitsandbytes", "timm", "sklearn", "accelerate", "pandas")
CODE = """
import json, sys
from skinframe.cli import main
try:
    main({words!r})
    code = 0
except SystemExit as end:
    code = end.code or 0
loaded = [name for name in {heavy!r} if name in sys.modules]
print(json.dumps([code, loaded]))
"""


def call(words: list[str], environment: dict[str, str]) -> tuple[int, list[str], str]:
    code = CODE.format(words=words, heavy=HEAVY)
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    text, _, last = found.stdout.strip().rpartition("\n")
    exit_code, loaded = json.loads(last)
    return exit_code, loaded, text + found.stderr


@pytest.mark.parametrize(
    ("words", "expected", "said"),
    [
        (["--help"], 0, "Train, ablate and judge"),
        (["run", "--help"], 0, "--resume"),
        (["list"], 0, "skinframe-cfa"),
        (["list", "cfa"], 0, "soft_ece"),
        (["list", "nope"], 2, "no plugin 'nope' is installed"),
        (["plan", "nowhere.yaml"], 2, "no such file"),
        (["plan", "{recipe}", "--set", "train.epoch=3"], 2, "did you mean 'epochs'"),
        (["plan", "{recipe}", "--set", "losses.focal.config.gama=3"], 2, "no such option of 'focal'"),
        (["plan", "{recipe}", "--set", "losses.focal.use=focl"], 2, "did you mean 'focal'"),
        (["plan", "{recipe}", "--preset", "qwen8b"], 2, "no preset named 'qwen8b'; did you mean 'qwen"),
        (["plan", "{recipe}", "--set", "select.by=nil"], 2, "did you mean 'nll'"),
        (["run", "{recipe}", "--without", "heads.classify"], 2, "which nothing in this recipe provides"),
        (["report", "nowhere"], 3, "nowhere"),
        ([], 2, "usage"),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else None,
)
def test_nothing_heavy_is_loaded(
    words: list[str], expected: int, said: str, environment: dict[str, str], small: Any
) -> None:
    recipe = [str(small.recipe), "--set", small.overrides[0]]
    whole = [part for word in words for part in (recipe if word == "{recipe}" else [word])]
    code, loaded, text = call(whole, environment)
    assert (code, loaded) == (expected, []), text
    assert said in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("words", "expected", "said"),
    [
        (["list", "--all"], 0, "qwen2_5_vl"),
        (["show", "focal"], 0, "gamma"),
        (["show", "focl"], 2, "did you mean 'focal'"),
        (["fly"], 2, "invalid choice"),  # it may be the verb of a plugin
    ],
)
def test_importing_every_plugin_loads_no_more_than_a_stranger_s_torch(
    words: list[str], expected: int, said: str, environment: dict[str, str]
) -> None:
    """The example plugin imports torch at its top, as any one-file loss may."""
    code, loaded, text = call(words, environment)
    assert code == expected
    assert set(loaded) <= {"torch"}
    assert said in text
