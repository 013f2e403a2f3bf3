"""Needs meet provides, or one sentence says why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import skinframe
from skinframe.errors import RecipeError

Sets = list[str]


@pytest.fixture
def plan(small: Any) -> Any:
    def make(*overrides: str, **more: Any) -> Any:
        return skinframe.plan(small.recipe, overrides=[*small.overrides, *overrides], **more)

    return make


def test_the_full_recipe_is_wired_by_name(plan: Any) -> None:
    graph = plan().graph
    assert graph.terms["focal"]["logits"] == "classify.logits"
    assert graph.terms["rationale"]["rationale_logits"] == "reasoner.rationale_logits"
    assert graph.heads["classify"] == {"hidden": "reasoner.hidden"}
    assert graph.encoders == ("clip",)
    assert graph.dropped == ()
    assert graph.roots.scores == "classify.logits"
    assert graph.roots.text == "reasoner.text"
    assert graph.roots.focus == "clip.image_tokens"


def test_a_term_that_nothing_feeds_names_what_was_disabled(plan: Any) -> None:
    with pytest.raises(RecipeError, match=r"losses\.alignment: needs .*disabled: heads\.project"):
        plan(without=["heads.project"])


def test_without_any_term_there_is_no_run(plan: Any) -> None:
    names = ("focal", "alignment", "calibration", "rationale")
    with pytest.raises(RecipeError, match="no loss is enabled"):
        plan(without=[f"losses.{name}" for name in names])
    with pytest.raises(RecipeError, match="no loss is enabled"):
        plan(*[f"losses.{name}.weight=0" for name in names])


def test_two_producers_of_one_signal_are_both_named(plan: Any, tmp_path: Path) -> None:
    preset = tmp_path / "second.yaml"
    preset.write_text("heads: {second: {use: linear}}\n")
    with pytest.raises(RecipeError, match=r"classify\.logits and second\.logits provide; (name one|leave one out)"):
        plan(presets=[str(preset)])


def test_a_bare_name_means_the_recipe_s_own_encoder(plan: Any) -> None:
    graph = plan("reasoner.config.vision=both", "reasoner.config.native_size=56").graph
    assert graph.eyes == ("clip.image_tokens", "native.image_tokens")
    assert graph.heads["project"]["image_tokens"] == "clip.image_tokens"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("{logit: classify.logits}", r"losses\.focal\.inputs\.logit: has no such input; did you mean 'logits'"),
        ("{logits: clasify.logits}", r"needs 'clasify\.logits'; did you mean 'classify\.logits'"),
        ("{logits: clip.image_tokens}", r"'logits' has dims \[B C\], 'clip\.image_tokens' has \[B P V\]"),
        ("{logits: nothing}", "needs 'nothing', which nothing in this recipe provides"),
        ("{logits: 3}", "losses.focal"),
        ("{labels: batch.attributes}", r"'labels' has dims \[B\], 'batch\.attributes' has \[B A\]"),
    ],
)
def test_a_wrong_route_is_refused(plan: Any, inputs: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        plan(f"losses.focal.inputs={inputs}")


@pytest.mark.parametrize("weight", ["heavy", "[1]", "{up: 2}", "{to: heavy}", ".nan", ".inf", "true", "false", "null"])
def test_a_weight_that_is_no_weight_is_refused_by_the_plan(plan: Any, weight: str) -> None:
    with pytest.raises(RecipeError, match=r"losses\.focal\.weight"):
        plan(f"losses.focal.weight={weight}")


def test_the_reasoner_s_eyes_must_exist(plan: Any) -> None:
    with pytest.raises(RecipeError, match=r"reasoner: needs 'clyp\.image_tokens', which no encoder provides; did you"):
        plan("reasoner.config.encoder=clyp")


def test_an_encoder_is_not_a_loss(plan: Any) -> None:
    with pytest.raises(RecipeError, match="no loss named 'open_clip'; 'open_clip' is a encoder"):
        plan("losses.focal.use=open_clip")


def test_options_of_many_components_are_refused_together(plan: Any) -> None:
    with pytest.raises(RecipeError) as found:
        plan(
            "losses.focal.config.gama=1",
            "data.config.images=some",
            "heads.classify.config.dropout=1.5",
            "reasoner.config.lora.r=0",
            "reasoner.config.vision=eyes",
            "encoders.clip.config.layer=3",
        )
    text = str(found.value)
    for words in ("no such option of 'focal'; did you mean 'gamma'", "data.config.images", "heads.classify.config"):
        assert words in text
    for words in (
        "reasoner.config.lora: r must be at least 1",
        "reasoner.config.vision",
        "encoders.clip.config: layer",
    ):
        assert words in text, text
