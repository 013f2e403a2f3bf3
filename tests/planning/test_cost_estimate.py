"""What a plan says that a run costs: it follows the quantisation, the precision and what encoders provide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import skinframe
from skinframe.planning.cost_estimate import Sizes, sizes

ROOT = Path(__file__).resolve().parents[2]


def costs(*overrides: str) -> Sizes:
    return sizes(skinframe.plan(ROOT / "recipes" / "cfa_full.yaml", presets=["qwen7b"], overrides=list(overrides)))


@pytest.fixture(scope="module")
def full_size() -> dict[str, Sizes]:
    plain = "reasoner.config.quantize=none"
    return {"nf4": costs(), "bf16": costs(plain), "fp32": costs(plain, "train.precision=fp32")}


def linear(found: Sizes) -> int:
    return sum(row.bytes for row in found.rows if row.per_token)


def test_memory_follows_quantisation_and_precision(full_size: dict[str, Sizes]) -> None:
    """The linear layers of Qwen2.5-VL-7B hold 6.53e9 weights; 59.3 GB is what the plan of the preset always said."""
    assert linear(full_size["nf4"]) == pytest.approx(6.525e9 * 0.5167, rel=1e-2)
    assert linear(full_size["bf16"]) == pytest.approx(13.05e9, rel=1e-3)
    assert linear(full_size["fp32"]) == pytest.approx(26.1e9, rel=1e-3)
    assert full_size["nf4"].memory == pytest.approx(59.3e9, rel=2e-3)
    assert full_size["bf16"].memory == pytest.approx(69.0e9, rel=2e-3)
    assert full_size["nf4"].memory < full_size["bf16"].memory < full_size["fp32"].memory


def test_activations_do_not_depend_on_how_the_weights_are_stored(full_size: dict[str, Sizes]) -> None:
    difference = full_size["bf16"].memory - full_size["nf4"].memory
    assert difference == pytest.approx(linear(full_size["bf16"]) - linear(full_size["nf4"]), rel=1e-6)


def test_activations_grow_with_the_tokens_of_a_micro_batch() -> None:
    few, many = costs("train.max_tokens=2048").memory, costs("train.max_tokens=4096").memory
    assert many - few == pytest.approx(6.6e6 * 2048 * 6.525e9 / 7.07e9, rel=1e-3)


def test_the_cache_is_counted_by_what_an_encoder_provides_not_by_its_name(small: Any, tmp_path: Path) -> None:
    plain = sizes(skinframe.plan(small.recipe, overrides=small.overrides))
    renamed = tmp_path / "renamed.yaml"
    text = small.recipe.read_text().replace("  clip: {use", "  context: {use")
    renamed.write_text(text.replace('model: "", vision: clip', 'model: "", encoder: context, vision: clip'))
    other = sizes(skinframe.plan(renamed, overrides=small.overrides))
    assert other.cache_per_image == plain.cache_per_image > 0


def test_the_cache_keeps_the_image_signals_that_are_read_once_a_view(small: Any) -> None:
    plan = skinframe.plan(small.recipe, overrides=small.overrides)
    tokens = plan.parts.encoders["clip"].provides()["image_tokens"]
    assert sizes(plan).cache_per_image == 2 * tokens[0] * tokens[1]
    twice = skinframe.plan(small.recipe, overrides=[*small.overrides, "train.views=2"])
    assert sizes(twice).cache_per_image == 2 * sizes(plan).cache_per_image


def test_counts_equal_a_real_model(small: Any) -> None:
    """Trained parameters of the plan, counted on the meta device, are those of the model that is built."""
    from skinframe.model.module import build_model

    plan = skinframe.plan(small.recipe, overrides=[*small.overrides, "reasoner.config.quantize=none"])
    found, model = sizes(plan), build_model(plan, "cpu")
    trained = sum(parameter.numel() for _, parameter in model.trained_parameters())
    assert found.parameters("lora", "trained") == trained
    assert found.checkpoint == 12 * trained
    frozen = sum(p.numel() for p in model.reasoner.parameters() if not p.requires_grad)
    assert sum(row.parameters for row in found.rows if row.role == "frozen" and "tower" not in row.name) == frozen


def test_compute_is_that_of_the_language_model_at_every_token_of_a_sample() -> None:
    """Four operations per frozen weight and token, six per trained one; CLIP runs once per view and is not counted."""
    few, many = costs("reasoner.config.pool=2"), costs("reasoner.config.pool=1")
    frozen = sum(row.parameters for row in few.rows if row.per_token)
    trained = few.parameters("lora") + sum(row.parameters for row in few.rows if row.name == "connector")
    tokens = 256 - 64  # ViT-L/14 at 224 px has 16 x 16 patches, of which pooling by 2 keeps 8 x 8
    expected = tokens * (4 * frozen + 6 * trained)
    assert many.flops_per_sample - few.flops_per_sample == pytest.approx(expected, rel=1e-6)
    tower = next(row for row in few.rows if row.name == "CLIP image tower")
    rows = sum(row.flops_per_sample for row in few.rows)
    assert rows - few.flops_per_sample == pytest.approx(tower.flops_per_sample, rel=1e-9)
    assert tower.flops_per_sample > 0


def test_the_images_of_the_data_are_counted_where_they_are(small: Any) -> None:
    assert sizes(skinframe.plan(small.recipe, overrides=small.overrides)).images == 60


def test_a_trained_weight_is_held_with_its_gradient_and_two_moments() -> None:
    """Each costs 4 bytes itself and 12 more; a wider projection has nothing else that grows."""
    narrow, wide = costs("heads.project.config.width=64"), costs("heads.project.config.width=128")
    more = wide.parameters("trained") - narrow.parameters("trained")
    assert more > 0
    assert wide.memory - narrow.memory == pytest.approx(16 * more, rel=1e-6)
    assert wide.checkpoint - narrow.checkpoint == 12 * more
