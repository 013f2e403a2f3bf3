"""A new loss in one short file: it runs with `--plugin` and appears in plan, log and report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

SOURCE = '''
"""Entropy of the predictions."""
import skinframe
from skinframe.signals import Labels, Logits


class Entropy(skinframe.Loss):
    """Mean entropy of the softmax; a penalty for doubt."""

    name = "entropy"
    coupling = "per_sample"

    def forward(self, logits: Logits, labels: Labels):
        return -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1).mean()


@skinframe.hookimpl
def register_losses():
    return [Entropy]
'''.lstrip()


@pytest.fixture(scope="module")
def plugged(
    small: Any, one_epoch: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str], Path]:
    folder = tmp_path_factory.mktemp("plugin")
    plugin, preset = folder / "entropy_loss.py", folder / "entropy.yaml"
    plugin.write_text(SOURCE)
    preset.write_text("losses: {doubt: {use: entropy, weight: 0.3}}\n")
    run = one_epoch(plugins=[plugin], presets=[str(preset)])
    return run.folder, [str(preset)], plugin


def test_the_file_is_short() -> None:
    assert len(SOURCE.splitlines()) <= 20


def test_it_is_in_the_plan_with_the_digest_of_its_file(plugged: tuple[Path, list[str], Path]) -> None:
    statement = yaml.safe_load((plugged[0] / "plan.yaml").read_text())
    assert statement["origins"]["losses.doubt"].startswith("entropy_loss.py sha256:")
    nodes = {node["node"]: node for node in statement["graph"]["nodes"]}
    assert nodes["doubt"]["reads"] == {"logits": "classify.logits", "labels": "batch.labels"}


def test_it_is_in_every_line_of_the_log(plugged: tuple[Path, list[str], Path]) -> None:
    for line in (plugged[0] / "log.jsonl").read_text().splitlines():
        part = json.loads(line)["parts"]["doubt"]
        assert part["weight"] == 0.3
        assert 0 < part["value"] < 2.08  # at most ln 8


def test_it_is_in_the_report(plugged: tuple[Path, list[str], Path]) -> None:
    text = (plugged[0] / "report.json").read_text()
    assert '"doubt"' in text
    assert "doubt" in (plugged[0] / "report.html").read_text()


def test_another_text_of_the_file_is_another_fingerprint(
    small: Any, plugged: tuple[Path, list[str], Path], tmp_path: Path
) -> None:
    import skinframe

    other = tmp_path / "entropy_loss.py"
    other.write_text(SOURCE.replace(".mean()", ".mean() * 2"))
    overrides = [*small.overrides, "train.epochs=1"]
    plan = skinframe.plan(small.recipe, overrides=overrides, presets=plugged[1], plugins=[other])
    assert plan.run_name != plugged[0].name


def test_its_run_predicts_with_the_same_file(plugged: tuple[Path, list[str], Path], photograph: Path) -> None:
    import skinframe

    (found,) = skinframe.predict(plugged[0], [photograph], plugins=[plugged[2]])
    assert sum(found.probabilities.values()) == pytest.approx(1)


BARE = """
import skinframe
from skinframe_tiny import SyntheticDermoscopy


class Bare(skinframe.Dataset):
    name = "synthetic_looking"
    Config = SyntheticDermoscopy.Config
    classes = property(lambda self: self.inner.classes)
    fields = property(lambda self: self.inner.fields)
    attributes = property(lambda self: self.inner.attributes)

    def __init__(self, config=None):
        super().__init__(config)
        self.inner = SyntheticDermoscopy(self.config)

    def samples(self):
        return self.inner.samples()

    def image_bytes(self, sample):
        return self.inner.image_bytes(sample)

    def digest(self):
        return self.inner.digest()


@skinframe.hookimpl
def register_datasets():
    return [Bare]
"""


COLUMN = """
import skinframe
import torch
from skinframe.signals import Signal


class Repeats(skinframe.Column):
    '''How many images each sample's patient has.'''

    signal = Signal("repeats", "B", "images of the sample's patient")

    def bind(self, context):
        groups = [sample.group for sample in context.samples]
        counts = torch.tensor([float(groups.count(group)) for group in groups])
        return lambda rows, views, epoch: counts[list(rows)]


@skinframe.hookimpl
def register_columns():
    return [Repeats]
"""
LOSS = """
from typing import Annotated

import skinframe
from skinframe.signals import Labels, Logits, Signal

Repeats = Annotated["torch.Tensor", Signal("repeats", "B", "images of the sample's patient")]


class PerPatient(skinframe.Loss):
    '''Cross entropy in which every patient weighs the same.'''

    name = "per_patient"
    coupling = "per_sample"

    def forward(self, logits: Logits, labels: Labels, repeats: Repeats):
        own = logits.log_softmax(-1).gather(1, labels[:, None])[:, 0]
        return -(own / repeats).mean()


@skinframe.hookimpl
def register_losses():
    return [PerPatient]
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    texts = {"bare": BARE, "column": COLUMN, "loss": LOSS}
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "patients.yaml").write_text("losses: {patients: {use: per_patient, weight: 0.1}}\n")
    return {path.stem: path for path in folder.iterdir()}


def test_a_loss_that_reads_a_column_which_no_plugin_registers_is_refused(small: Any, files: dict[str, Path]) -> None:
    import skinframe

    options = {"overrides": small.overrides, "presets": [str(files["patients"])]}
    with pytest.raises(skinframe.RecipeError, match=r"losses\.patients: needs 'repeats', which nothing"):
        skinframe.plan(small.recipe, plugins=[files["loss"]], **options)
    plan = skinframe.plan(small.recipe, plugins=[files["loss"], files["column"]], **options)
    assert plan.graph.terms["patients"]["repeats"] == "batch.repeats"


def test_three_files_in_one_run(one_epoch: Callable[..., Any], files: dict[str, Path]) -> None:
    """A column of one file is read by the loss of another; a data set without docstring is no synthetic one by name."""
    plugins, presets = [files["bare"], files["column"], files["loss"]], [str(files["patients"])]
    overrides = ("data.use=synthetic_looking", "data.config.images=60", "data.config.seed=110")
    run = one_epoch(*overrides, plugins=plugins, presets=presets)
    data = json.loads((run.folder / "report.json").read_text())["data"]
    assert (data["sentence"], data["synthetic"]) == ("", False)
    lines = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    assert all(0 < line["parts"]["patients"]["value"] < 20 for line in lines)
