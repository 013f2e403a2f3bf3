"""`skinframe check`: what it says of a plugin, and what it exits with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import skinframe
from skinframe import cli
from skinframe.errors import RecipeError

METRICS = """
import numpy as np
import skinframe


class Share(skinframe.Metric):
    name = "my_share"
    breaks = {"direction": "reads no label"}

    def value(self, labels, probabilities, weights):
        total = weights.sum()
        return float(weights @ probabilities[:, 0] / total) if total else float("nan")


class Zero(Share):
    name = "my_zero"
    breaks = {"pure": "said in error", "prue": "a typing error"}

    def value(self, labels, probabilities, weights):
        return 0.0


class Needs(Share):
    name = "my_needs"

    def __init__(self, config=None):
        raise ValueError("cannot be made of nothing")


@skinframe.hookimpl
def register_metrics():
    return [Share, Zero, Needs]
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plugin") / "my_metrics.py"
    path.write_text(METRICS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def result(plugin: Path):
    return skinframe.check(plugin)


def outcomes(result, name):
    component = next(each for each in result.components if each.name == name)
    return {each.check: each for each in component.checks}


def test_a_failure_that_is_declared_is_expected_and_must_fail(result):
    share = outcomes(result, "my_share")
    assert (share["direction"].outcome, share["direction"].detail) == ("xfailed", "reads no label")
    assert share["weights"].outcome == "passed"
    assert share["class_order"].outcome == "FAILED"
    zero = outcomes(result, "my_zero")
    assert zero["pure"].outcome == "FAILED"
    assert "passes, but `breaks` declares a failure: said in error" in zero["pure"].detail
    assert "a metric has no check of this name" in zero["prue"].detail


def test_a_failure_shows_its_counter_example(result):
    found = outcomes(result, "my_zero")["undefined"]
    assert found.detail.startswith("no sample gives 0.0")
    assert "labels = [0, 1, 0, 1]" in found.detail  # shrunk to two samples a class
    assert "FAILED   undefined" in str(result)


def test_what_cannot_be_built_is_skipped_with_the_reason(result):
    (only,) = outcomes(result, "my_needs").values()
    assert only.outcome == "skipped"
    assert "cannot be made of nothing" in only.detail
    assert result.summary.startswith("3 components: ")
    assert not result.ok


def test_a_component_without_its_data_is_skipped_with_the_next_step():
    found = skinframe.check("skinframe-derm", "ham10000")
    assert found.ok
    assert "data.config.root" in outcomes(found, "ham10000")["all"].detail


def test_exit_codes(plugin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as found:
        cli.main(["check", str(plugin), "my_zero"])
    assert found.value.code == 1
    assert "my_zero · my_metrics.py sha256:" in capsys.readouterr().out
    cli.main(["check", "example", "mean_colour"])
    assert capsys.readouterr().out.endswith("1 component: 7 passed\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody"], "no plugin 'nobody' is installed"),
        (["example", "mean_color"], "example: has no component 'mean_color'; did you mean 'mean_colour'"),
        (["nowhere.py"], "nowhere.py: no such file"),
    ],
)
def test_what_it_refuses(words: list[str], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        skinframe.check(*words)


@pytest.mark.parametrize("absent", ["pytest", "hypothesis"])
def test_without_pytest_or_hypothesis_it_names_the_extra(absent: str, environment: dict[str, str]) -> None:
    code = f"import sys; sys.modules[{absent!r}] = None; from skinframe.cli import main; main(['check', 'example'])"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "run `pip install 'skinframe[testing]'`" in done.stderr
    assert "Traceback" not in done.stderr
