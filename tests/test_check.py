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
def verdict(plugin: Path):
    return skinframe.check(plugin)


def outcomes(verdict, name):
    judged = next(each for each in verdict.components if each.name == name)
    return {each.check: each for each in judged.judgements}


def test_a_failure_that_is_declared_is_known_and_must_fail(verdict):
    share = outcomes(verdict, "my_share")
    assert (share["direction"].outcome, share["direction"].detail) == ("known", "reads no label")
    assert share["weights"].outcome == "ok"
    assert share["class_order"].outcome == "FAILED"
    zero = outcomes(verdict, "my_zero")
    assert zero["pure"].outcome == "FAILED"
    assert "holds, though `breaks` says: said in error" in zero["pure"].detail
    assert "no check of a metric is called so" in zero["prue"].detail


def test_a_failure_shows_its_counter_example(verdict):
    found = outcomes(verdict, "my_zero")["undefined"]
    assert found.detail.startswith("no sample gives 0.0")
    assert "labels = [0, 1, 0, 1]" in found.detail  # shrunk to two samples a class
    assert "FAILED   undefined" in str(verdict)


def test_what_cannot_be_built_is_left_out_and_said(verdict):
    (only,) = outcomes(verdict, "my_needs").values()
    assert only.outcome == "left out"
    assert "cannot be made of nothing" in only.detail
    assert verdict.summary.startswith("3 components: ")
    assert not verdict.ok


def test_a_component_without_its_data_is_left_out_with_the_next_step():
    found = skinframe.check("skinframe-derm", "ham10000")
    assert found.ok
    assert "data.config.root" in outcomes(found, "ham10000")["all"].detail


def test_exit_codes(plugin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as found:
        cli.main(["check", str(plugin), "my_zero"])
    assert found.value.code == 1
    assert "my_zero · my_metrics.py sha256:" in capsys.readouterr().out
    cli.main(["check", "example", "mean_colour"])
    assert capsys.readouterr().out.endswith("1 component: 7 hold\n")


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
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "run `pip install 'skinframe[testing]'`" in done.stderr
    assert "Traceback" not in done.stderr
