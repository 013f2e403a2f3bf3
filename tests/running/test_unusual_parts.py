"""A whole run of parts that no first-party recipe has: another state than `hidden`, a head that reads a head, columns.

Each of them once trained an epoch and then died, or worked by its place in the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import skinframe
from skinframe.errors import RecipeError

REASONER = '''
"""A reasoner whose heads read a state of another name, and a data set without a docstring."""
from torch import nn

import skinframe
from skinframe.signals import Output
from skinframe_qwen import Qwen25VL
from skinframe_tiny.synthetic_dermoscopy import SyntheticDermoscopy


class Wrapped(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, batch, want):
        signals = self.inner(batch, (want - {"second"}) | {"hidden"})
        return {**signals, "second": -signals["hidden"]}

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("inner"), name)


class TwoStates(Qwen25VL):
    """Qwen2.5-VL with a second state."""

    name = "two_states"

    def provides(self):
        return {**super().provides(), "second": super().provides()["hidden"]}

    def outputs(self):
        return {**super().outputs(), "second": Output("B H")}

    def build(self, context):
        return Wrapped(super().build(context))


class Undocumented(SyntheticDermoscopy):
    name = "undocumented"


@skinframe.hookimpl
def register_reasoners():
    return [TwoStates]


@skinframe.hookimpl
def register_datasets():
    return [Undocumented]
'''

HEADS = '''
"""A head of the second state, a head of that head, and a column."""
import torch
from torch import nn

import skinframe
from skinframe.components import Column
from skinframe.signals import Signal


class Scaled(nn.Module):
    def __init__(self, reads, gives, width, classes):
        super().__init__()
        self.reads, self.gives, self.layer = reads, gives, nn.Linear(width, classes)

    def forward(self, signals):
        return {self.gives: self.layer(signals[self.reads].float())}


class OfState(skinframe.Head):
    """Image logits from the second state."""

    name = "of_state"

    def needs(self):
        return ("second",)

    def provides(self):
        return ("image_logits",)

    def build(self, context):
        return Scaled("second", "image_logits", context.shapes["second"][-1], len(context.classes))


class OfHead(skinframe.Head):
    """Logits from another head's logits."""

    name = "of_head"

    def needs(self):
        return ("image_logits",)

    def provides(self):
        return ("logits",)

    def build(self, context):
        return Scaled("image_logits", "logits", context.shapes["image_logits"][-1], len(context.classes))


class Weights(Column):
    """One weight per sample, from its row."""

    signal = Signal("weights", "B", "one weight per sample")

    def bind(self, context):
        return lambda rows, views, epoch: torch.tensor([1.0 + (row + epoch) % 2 for row in rows])


@skinframe.hookimpl
def register_heads():
    return [OfHead, OfState]


@skinframe.hookimpl
def register_columns():
    return [Weights]
'''

LOSS = '''
"""A loss that reads the column of another plugin."""
from typing import Annotated

from torch import Tensor
from torch.nn import functional as F

import skinframe
from skinframe.signals import Labels, Logits, Signal

Weights = Annotated[Tensor, Signal("weights", "B", "one weight per sample")]


class WeightedEntropy(skinframe.Loss):
    """Cross entropy with a weight per sample."""

    name = "weighted_entropy"
    coupling = "per_sample"

    def forward(self, logits: Logits, labels: Labels, weights: Weights):
        return (F.cross_entropy(logits, labels, reduction="none") * weights).mean()


@skinframe.hookimpl
def register_losses():
    return [WeightedEntropy]
'''

PRESET = """
data: {use: undocumented, config: {images: 60, seed: 110}}
reasoner: {use: two_states, config: {encoder: context, quantize: none, pool: 2, lora: {r: 2, alpha: 4}}}
encoders:
  context: {use: open_clip, config: {model: "embedded:clip"}}
heads:
  last: {use: of_head} # reads the head below it
  first: {use: of_state}
losses:
  weighted: {use: weighted_entropy}
"""
OFF = ["encoders.clip", "heads.classify", "heads.project", *(f"losses.{n}" for n in ("focal", "alignment"))]
OFF += [f"losses.{name}" for name in ("calibration", "rationale")]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], str]:
    folder = tmp_path_factory.mktemp("unusual")
    names = {"two_states.py": REASONER, "chained_heads.py": HEADS, "weighted_loss.py": LOSS, "preset.yaml": PRESET}
    for name, text in names.items():
        (folder / name).write_text(text)
    return [folder / name for name in names if name.endswith(".py")], str(folder / "preset.yaml")


@pytest.fixture(scope="module")
def options(small: Any, files: tuple[list[Path], str]) -> dict[str, Any]:
    plugins, preset = files
    model = next(text for text in small.overrides if text.startswith("reasoner.config.model"))
    return {"presets": [preset], "plugins": plugins, "without": OFF, "overrides": [*small.overrides, model]}


@pytest.fixture(scope="module")
def run(small: Any, options: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    given = {**options, "overrides": [*options["overrides"], "train.epochs=1"]}
    return skinframe.run(small.recipe, out=tmp_path_factory.mktemp("out"), cache=small.cache, quiet=True, **given)


def test_the_run_ends_with_a_report(run: Any) -> None:
    assert (run.folder / "report.html").is_file()
    assert run.report.rows[0].name == "this run"
    lines = (run.folder / "log.jsonl").read_text().splitlines()
    assert all(json.loads(line)["parts"]["weighted"]["value"] > 0 for line in lines)


def test_a_data_set_without_docstring_is_described_by_the_one_that_it_extends(run: Any) -> None:
    assert run.report.data.synthetic
    assert run.report.data.sentence.startswith("Synthetic dermoscopy")


def test_the_run_can_be_asked_again(run: Any, options: dict[str, Any], tmp_path: Path) -> None:
    from skinframe.predicting.finished_run import plan_of_run

    dataset = plan_of_run(run.folder, options["plugins"]).parts.dataset
    (tmp_path / "image.png").write_bytes(dataset.image_bytes(dataset.samples()[0]))
    (found,) = skinframe.predict(run.folder, [tmp_path / "image.png"], plugins=options["plugins"])
    assert sum(found.probabilities.values()) == pytest.approx(1)
    result = skinframe.evaluate(
        run.folder, out=tmp_path / "again", plugins=options["plugins"], resamples=20, quiet=True
    )
    assert result.report.rows


def test_a_column_that_no_installed_plugin_registers_is_named(small: Any, options: dict[str, Any]) -> None:
    without = [path for path in options["plugins"] if path.name != "chained_heads.py"]
    preset = Path(options["presets"][0]).with_name("loss_alone.yaml")
    preset.write_text("losses: {weighted: {use: weighted_entropy}}\n")
    with pytest.raises(RecipeError, match=r"losses\.weighted: needs 'weights', which nothing in this recipe provides"):
        skinframe.plan(small.recipe, overrides=small.overrides, plugins=without, presets=[str(preset)])
