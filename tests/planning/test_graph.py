"""The signal graph: order, circles, roots, who may read what, and what each purpose needs."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

import skinframe
from skinframe.errors import RecipeError
from skinframe.planning.address import Address, bare, column, from_instance

ROOT = Path(__file__).resolve().parents[2]
RECORDED = json.loads((Path(__file__).parent / "wiring_at_9195069.json").read_text())

PLUGIN = '''
"""Heads and columns that ask for something unusual."""
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

import skinframe
from skinframe.components import Column
from skinframe.signals import Labels, Logits, Signal


class Passing(nn.Module):
    def __init__(self, reads, gives, classes):
        super().__init__()
        self.reads, self.gives, self.scale = reads, gives, nn.Parameter(torch.ones(classes))

    def forward(self, signals):
        value = signals[self.reads].float()
        return {self.gives: value[:, : len(self.scale)] * self.scale}


class Odd(skinframe.Head):
    """Reads one signal and gives another."""

    name = "odd"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        reads: str = "hidden"
        gives: str = "logits"

    def needs(self):
        return (self.config.reads,)

    def provides(self):
        return (self.config.gives,)

    def build(self, context):
        from skinframe.planning.address import bare

        return Passing(bare(self.config.reads), self.config.gives, len(context.classes))


class Weights(Column):
    """One weight per sample, from its row."""

    signal = Signal("weights", "B", "one weight per sample")

    def bind(self, context):
        return lambda rows, views, epoch: torch.tensor([1.0 + row % 2 for row in rows])


Weighted = Annotated[Tensor, Weights.signal]


class WeightedEntropy(skinframe.Loss):
    """Cross entropy with a weight per sample."""

    name = "weighted_entropy"
    coupling = "per_sample"

    def forward(self, logits: Logits, labels: Labels, weights: Weighted):
        each = nn.functional.cross_entropy(logits, labels, reduction="none")
        return (each * weights).mean()


@skinframe.hookimpl
def register_heads():
    return [Odd]


@skinframe.hookimpl
def register_columns():
    return [Weights]


@skinframe.hookimpl
def register_losses():
    return [WeightedEntropy]
'''


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "odd_parts.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture
def plan(small: Any, plugin: Path, tmp_path: Path) -> Any:
    def make(preset: str = "", *overrides: str, **more: Any) -> Any:
        path = tmp_path / "preset.yaml"
        path.write_text(preset or "{}\n")
        given = {"presets": [str(path)], "plugins": [plugin], **more}
        return skinframe.plan(small.recipe, overrides=[*small.overrides, *overrides], **given)

    return make


# --- addresses -----------------------------------------------------------------------------------------------------


def test_an_address_is_a_string_that_knows_its_parts() -> None:
    address = Address.parse("clip.image_tokens")
    assert (address, address.instance, address.signal) == ("clip.image_tokens", "clip", "image_tokens")
    assert {address: 1}["clip.image_tokens"] == 1
    assert column("labels").is_column
    assert not address.is_column
    assert pickle.loads(pickle.dumps(address)) == address  # noqa: S301
    assert (bare("clip.image_tokens"), bare("hidden")) == ("image_tokens", "hidden")
    assert from_instance([Address("b", "y"), Address("a", "x"), Address("b", "c")], "b") == ["c", "y"]


@pytest.mark.parametrize("text", ["labels", ".labels", "batch.", "3d.logits", "a b.logits", ""])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address; write instance"):
        Address.parse(text)


# --- the recipes of before -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted({key.partition(" + ")[0] for key in RECORDED["plans"]}))
def test_every_recipe_is_connected_as_before_the_graph(name: str) -> None:
    """The wiring of 112 plans was recorded before the graph came; one preset a recipe is compared here."""
    keys = [key for key in RECORDED["plans"] if key.partition(" + ")[0] == name]
    for key in (keys[0], keys[1 + len(name) % (len(keys) - 1)]):
        # a preset once replaced the head of a probe; it now leaves what a recipe chose
        before = RECORDED["wirings"][RECORDED["plans"][name if name.startswith("baselines/probe") else key]]
        preset = key.partition(" + ")[2]
        presets = [str(ROOT / "recipes" / "presets" / f"{preset}.yaml")] if preset else []
        graph = skinframe.plan(ROOT / "recipes" / f"{name}.yaml", presets=presets).graph
        assert {term: dict(reads) for term, reads in graph.terms.items()} == before["losses"]
        assert {head: dict(reads) for head, reads in graph.heads.items()} == before["heads"]
        assert list(graph.eyes) == before["reasoner"]
        assert (graph.roots.scores, list(graph.encoders)) == (before["logits"], before["encoders"])
        assert [str(part) for part in graph.dropped] == before["dropped"]
        sources = {"batch.image", "batch.prompt", "batch.description", "reasoner.text"}
        assert set(graph.used) - sources == set(before["used"])


# --- order and circles -----------------------------------------------------------------------------------------------


def test_a_head_may_read_a_head_that_stands_after_it(plan: Any) -> None:
    """Both orders in the file give one order of work, and one fingerprint."""
    off = ["heads.classify.enabled=false"]
    first = "first: {use: odd, config: {gives: raw}}"
    second = "second: {use: odd, config: {reads: first.raw}}"
    plans = [plan(f"heads: {{{a}, {b}}}", *off) for a, b in ((first, second), (second, first))]
    for made in plans:
        names = list(made.graph.heads)
        assert names.index("first") < names.index("second")
        assert made.graph.roots.scores == "second.logits"
    assert plans[0].fingerprint == plans[1].fingerprint


def test_a_circle_of_heads_is_named(plan: Any) -> None:
    loop = "heads: {a: {use: odd, config: {reads: b.y, gives: x}}, b: {use: odd, config: {reads: a.x, gives: y}},"
    loop += " c: {use: odd, config: {reads: a.x}}}"
    with pytest.raises(
        RecipeError,
        match=r"heads: heads read each other in a circle: (a reads b, b reads a|b reads a, a reads b)",
    ):
        plan(loop, "heads.classify.enabled=false")


def test_a_head_that_reads_itself_is_a_circle(plan: Any) -> None:
    with pytest.raises(RecipeError, match="in a circle: own reads own"):
        plan("heads: {own: {use: odd, config: {reads: own.logits}}}", "heads.classify.enabled=false")


# --- who may read what ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signal", ["labels", "attributes", "text_ids", "class_counts", "weights"])
def test_a_head_may_not_read_what_is_for_loss_terms(plan: Any, signal: str) -> None:
    head = f"heads: {{leak: {{use: odd, config: {{reads: batch.{signal}}}}}}}"
    with pytest.raises(RecipeError, match=rf"heads\.leak: may not read 'batch\.{signal}': only loss terms may"):
        plan(head, "heads.classify.enabled=false")


def test_a_reasoner_may_not_read_labels(plan: Any, plugin: Path, tmp_path: Path) -> None:
    text = '''
import skinframe
from skinframe_qwen import Qwen25VL


class Peeking(Qwen25VL):
    """Asks for the label beside the image."""

    name = "peeking"

    def needs(self):
        return (*super().needs(), "batch.labels")


@skinframe.hookimpl
def register_reasoners():
    return [Peeking]
'''
    other = tmp_path / "peeking.py"
    other.write_text(text)
    with pytest.raises(RecipeError, match=r"reasoner: may not read 'batch\.labels': only loss terms may"):
        plan("reasoner: {use: peeking}", plugins=[plugin, other])


def test_no_path_from_the_description_reaches_the_scores(plan: Any) -> None:
    """The description names the diagnosis: its embedding may supervise, and a head of it may not score."""
    off = ["heads.classify.enabled=false"]
    with pytest.raises(
        RecipeError, match=r"'batch\.description' is for loss terms only and must not reach the scores:"
    ):
        plan("heads: {leak: {use: odd, config: {reads: text_embedding}}}", *off)
    chain = "heads: {between: {use: odd, config: {reads: text_embedding, gives: middle}},"
    chain += " last: {use: odd, config: {reads: between.middle}}}"
    path = r"batch\.description -> clip\.text_embedding -> between\.middle -> last\.logits"
    with pytest.raises(RecipeError, match=path):
        plan(chain, *off)


def test_a_root_of_the_recipe_is_guarded_too(plan: Any) -> None:
    with pytest.raises(RecipeError, match=r"outputs\.focus: .*must not reach the focus"):
        plan("outputs: {focus: clip.text_embedding}")


# --- roots, ancestors, given ---------------------------------------------------------------------------------------


def test_each_purpose_needs_its_ancestors_and_no_label(plan: Any) -> None:
    graph = plan().graph
    scores = graph.ancestors(graph.roots_of("scores"))
    assert scores == {"classify.logits", "reasoner.hidden", "clip.image_tokens", "batch.image", "batch.prompt"}
    assert not any(address.is_column and graph.producer(address).terms_only for address in scores)
    assert {"batch.labels", "reasoner.rationale_logits", "batch.rationale_targets"} <= graph.wanted
    assert "reasoner.text" not in graph.wanted


def test_a_given_signal_cuts_what_is_behind_it(plan: Any) -> None:
    graph = plan().graph
    scores = [graph.roots.scores]
    assert graph.ancestors(scores, given={"reasoner.hidden"}) == {"classify.logits", "reasoner.hidden"}
    assert graph.ancestors(scores, given={"classify.logits"}) == {"classify.logits"}


def test_a_recipe_chooses_its_scores(plan: Any) -> None:
    two = "heads: {second: {use: odd}}"
    with pytest.raises(RecipeError, match=r"classify\.logits and second\.logits provide; name one as outputs\.scores"):
        plan(two, *[f"losses.{name}.enabled=false" for name in ("focal", "calibration")])
    named = {"focal": "classify.logits", "calibration": "classify.logits"}
    routes = [f"losses.{name}.inputs.logits={address}" for name, address in named.items()]
    assert plan(f"{two}\noutputs: {{scores: second.logits}}", *routes).graph.roots.scores == "second.logits"
    with pytest.raises(
        RecipeError, match=r"outputs\.focus: needs 'clip\.image_token'; did you mean 'clip\.image_tokens'"
    ):
        plan("outputs: {focus: clip.image_token}")


def test_the_outputs_of_every_node_are_typed(plan: Any) -> None:
    graph = plan().graph
    assert graph.output(Address("classify", "logits")).dims == "B C"
    assert graph.output(column("labels")).dtype == "int"
    assert graph.output(Address("project", "logit_scale")).batch_axis is None
    assert graph.output(Address("reasoner", "rationale_logits")).batch_axis == "T"


# --- names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("preset", "message"), [
    ("heads: {batch: {use: odd, config: {gives: other}}}", r"heads\.batch: 'batch' is reserved for the columns"),
    ("heads: {reasoner: {use: odd, config: {gives: other}}}", r"heads\.reasoner: 'reasoner' is reserved"),
    ("encoders: {reasoner: {use: open_clip}}", r"encoders\.reasoner: 'reasoner' is reserved"),
    ("heads: {clip: {use: odd, config: {gives: other}}}", r"heads\.clip: 'clip' is encoders\.clip already"),
    ("heads: {'a b': {use: odd, config: {gives: other}}}", r"cannot name an instance"),
    ("heads: {native: {use: odd, config: {gives: other}}}\nreasoner: {config: {vision: both, native_size: 56}}",
     r"heads\.native: 'native' is the name of an encoder that the reasoner brings"),
])  # fmt: skip
def test_names_that_would_share_an_address_are_refused(plan: Any, preset: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        plan(preset)


@pytest.mark.parametrize(("route", "message"), [
    ("classify.lgits", r"needs 'classify\.lgits'; did you mean 'classify\.logits'"),
    ("clasify.logits", r"needs 'clasify\.logits'; did you mean 'classify\.logits'"),
    ("clip.image_tokns", r"needs 'clip\.image_tokns'; did you mean 'clip\.image_tokens'"),
])  # fmt: skip
def test_a_misspelt_address_gets_a_suggestion(plan: Any, route: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        plan("", f"losses.focal.inputs.logits={route}")


def test_a_signal_of_a_disabled_head_says_so(plan: Any) -> None:
    with pytest.raises(RecipeError, match=r"needs 'project\.regions', but heads\.project is disabled"):
        plan("", "losses.alignment.inputs.regions=project.regions", "heads.project.enabled=false")


# --- columns of plugins --------------------------------------------------------------------------------------------


def test_a_column_of_one_plugin_feeds_a_loss_and_only_what_is_read_is_live(plan: Any) -> None:
    assert column("weights") not in plan().graph.used
    graph = plan("losses: {weighted: {use: weighted_entropy}}").graph
    assert graph.terms["weighted"]["weights"] == "batch.weights"
    assert "batch.weights" in graph.wanted
    assert "batch.weights" not in graph.ancestors(graph.roots_of("scores"))


READER = """
from typing import Annotated
from torch import Tensor
import skinframe
from skinframe.signals import Labels, Logits, Signal

Weights = Annotated[Tensor, Signal("weights", {declared})]

class Reader(skinframe.Loss):
    name = "reader"
    coupling = "per_sample"

    def forward(self, logits: Logits, labels: Labels, weights: Weights{default}):
        return (logits.mean(dim=1) * weights).mean()

@skinframe.hookimpl
def register_losses():
    return [Reader]
"""


@pytest.mark.parametrize(
    ("declared", "default", "read"),
    [
        ('"B C", "mine"', "", r"float \[B C\]"),
        ('"C", "mine"', "", r"float \[C\]"),
        ('"B", "mine", "int"', "", r"int \[B\]"),
        ('"B C", "mine"', " = None", r"float \[B C\]"),  # an optional parameter is connected all the same
    ],
)
def test_two_declarations_of_one_signal_must_agree(
    plan: Any, plugin: Path, tmp_path: Path, declared: str, default: str, read: str
) -> None:
    (tmp_path / "reader.py").write_text(READER.format(declared=declared, default=default))
    said = (
        rf"losses\.mine: reads 'weights' as {read}, and 'batch\.weights' is float \[B\]; declare the same dims and kind"
    )
    with pytest.raises(RecipeError, match=said) as refusal:
        plan("losses: {mine: {use: reader}}", plugins=[plugin, tmp_path / "reader.py"])
    assert len(refusal.value.problems) == 1


def test_an_optional_parameter_is_connected_where_something_provides_it(
    plan: Any, plugin: Path, tmp_path: Path
) -> None:
    (tmp_path / "reader.py").write_text(READER.format(declared='"B", "mine"', default=" = None"))
    preset = "losses: {mine: {use: reader}}"
    alone = plan(preset, plugins=[tmp_path / "reader.py"])
    both = plan(preset, plugins=[plugin, tmp_path / "reader.py"])
    assert "weights" not in alone.graph.terms["mine"]
    assert both.graph.terms["mine"]["weights"] == "batch.weights"


def test_the_plan_lists_a_column_of_a_plugin_with_its_file_and_digest(plan: Any) -> None:
    from skinframe.planning.cost_estimate import sizes
    from skinframe.planning.plan_text import plan_text, plan_yaml

    without, made = plan(), plan("losses: {weighted: {use: weighted_entropy}}")
    assert not any(path.startswith("columns.") for path in without.origins)
    assert made.origins["columns.weights"].startswith("odd_parts.py sha256:")
    (line,) = [line for line in plan_text(made, sizes(made)).splitlines() if line.startswith("columns.")]
    assert line.split()[:3] == ["columns.weights", "weights", "odd_parts.py"]
    assert yaml.safe_load(plan_yaml(made))["origins"]["columns.weights"] == made.origins["columns.weights"]


def test_the_picture_shows_every_node_with_what_it_reads(plan: Any) -> None:
    text = "\n".join(plan().graph.picture())
    for words in ("clip (encoder, cached)", "reasoner.hidden -> logits [B C]", "scores", "<- clip.image_tokens"):
        assert words in text
    statement = plan().graph.statement()
    assert statement["roots"] == {"scores": "classify.logits", "text": "reasoner.text", "focus": "clip.image_tokens"}
