"""The reasoner's module on a tiny random checkpoint of the real classes: NF4, LoRA, connector, generation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from skinframe_vlm import Qwen25VL
from skinframe_vlm.reasoner_options import Lora
from torch import Tensor
from torch.nn import functional as F

from skinframe import BuildContext, PromptText
from skinframe.data.token_padding import lay_out

P, V = 16, 24
BOTH = frozenset({"hidden", "rationale_logits"})
QUESTION = PromptText(system="You are a dermatologist.", user="Age 60, sex male. Which class is this lesion?")
SHORT = PromptText(system="You are a dermatologist.", user="Which class?")


def build(folder: Path, seed: int = 3, precision: str = "fp32", **options: Any) -> Any:
    options.setdefault("lora", Lora(r=8, alpha=16))
    reasoner = Qwen25VL(Qwen25VL.Config(model=str(folder), native_size=112, **options))
    shapes = {"clip.image_tokens": (P, V), "native.image_tokens": (16, 128)}
    context = BuildContext(classes=("a", "b"), shapes=shapes, seed=seed, precision=precision)
    return reasoner.build(context)


def images(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count, P, V, generator=torch.Generator().manual_seed(seed))


def batch_of(module: Any, pairs: list[tuple[PromptText, str | None]], tokens: Tensor) -> dict[str, Tensor]:
    rows = [module.tokenize(prompt, target) for prompt, target in pairs]
    return {**lay_out(rows, module.pad_id), "clip.image_tokens": tokens}


@pytest.fixture(scope="module")
def module(checkpoint: Path) -> Any:
    return build(checkpoint).eval()


def test_nf4_lands_on_the_language_models_linears_only(module: Any) -> None:
    import bitsandbytes

    quantised = {name for name, m in module.named_modules() if isinstance(m, bitsandbytes.nn.Linear4bit)}
    assert len(quantised) == 2 * 7
    assert all(name.startswith("base.model.language_model.layers.") for name in quantised)
    assert type(module.base.lm_head) is torch.nn.Linear
    assert all(type(m) in (torch.nn.Linear, torch.nn.LayerNorm, torch.nn.Dropout) for m in module.connector.children())


def test_lora_lands_on_the_language_models_linears_only(module: Any) -> None:
    from peft.tuners.lora import LoraLayer

    adapted = {name for name, m in module.named_modules() if isinstance(m, LoraLayer)}
    kinds = {name.rpartition(".")[2] for name in adapted}
    assert len(adapted) == 2 * 7
    assert kinds == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert all(name.startswith("base.model.language_model.layers.") for name in adapted)


def test_double_quantisation_is_on(module: Any) -> None:
    layer = module.base.model.language_model.layers[0].mlp.up_proj.base_layer
    assert layer.weight.quant_state.quant_type == "nf4"
    assert layer.weight.quant_state.nested


def test_clip_vision_never_loads_qwens_tower(module: Any) -> None:
    assert not any("visual" in name for name, _ in module.named_modules())


def test_only_adapters_and_connector_train_and_are_float32(module: Any) -> None:
    trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
    assert all("lora_" in name or name.startswith("connector.") for name in trained)
    assert all(p.dtype == torch.float32 for p in trained.values())
    assert len(trained) == len(module.trained_state())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_few_steps_lower_the_loss(checkpoint: Path, precision: str) -> None:
    module = build(checkpoint, precision=precision).train()
    batch = batch_of(module, [(QUESTION, "nevus"), (SHORT, "melanoma: veil present")], images(2))
    trained = [p for p in module.parameters() if p.requires_grad]
    frozen = {name: p.detach().clone() for name, p in module.named_parameters() if not p.requires_grad}
    optimiser = torch.optim.AdamW(trained, lr=5e-3)
    losses = []
    for _ in range(8):
        logits = module(batch, BOTH)["rationale_logits"]
        loss = F.cross_entropy(logits, batch["rationale_targets"])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in trained)
    assert all(torch.equal(p, frozen[name]) for name, p in module.named_parameters() if not p.requires_grad)


def test_gradients_survive_an_evaluation_pass(checkpoint: Path) -> None:
    """bitsandbytes may repack 4-bit weights in evaluation into a form without a backward pass."""
    module = build(checkpoint).train()
    batch = batch_of(module, [(QUESTION, None)], images(1))

    def gradient() -> Tensor:
        module.zero_grad()
        module(batch, frozenset({"hidden"}))["hidden"].square().sum().backward()
        return module.connector.up.weight.grad.clone()

    before = gradient()
    module.eval()
    with torch.no_grad():
        module(batch, frozenset({"hidden"}))
    module.train()
    assert torch.equal(gradient(), before)


def test_padding_changes_nothing(module: Any) -> None:
    tokens = images(2)
    pairs = [(SHORT, "nevus"), (QUESTION, "melanoma: veil present")]
    both = module(batch_of(module, pairs, tokens), BOTH)
    alone = [module(batch_of(module, [pair], tokens[i : i + 1]), BOTH) for i, pair in enumerate(pairs)]
    for name in BOTH:
        torch.testing.assert_close(both[name], torch.cat([part[name] for part in alone]), atol=1e-5, rtol=0)


def test_the_class_path_never_sees_the_rationale(module: Any) -> None:
    tokens = images(1)
    one = module(batch_of(module, [(SHORT, "nevus")], tokens), BOTH)["hidden"]
    other = module(batch_of(module, [(SHORT, "melanoma, for it is dark")], tokens), BOTH)["hidden"]
    none = module(batch_of(module, [(SHORT, None)], tokens), frozenset({"hidden"}))["hidden"]
    torch.testing.assert_close(one, other, atol=1e-5, rtol=0)
    torch.testing.assert_close(one, none, atol=1e-5, rtol=0)


def test_image_and_prompt_both_move_the_state(module: Any) -> None:
    base = module(batch_of(module, [(SHORT, None)], images(1)), frozenset({"hidden"}))["hidden"]
    image = module(batch_of(module, [(SHORT, None)], images(1, seed=1)), frozenset({"hidden"}))["hidden"]
    prompt = module(batch_of(module, [(QUESTION, None)], images(1)), frozenset({"hidden"}))["hidden"]
    assert (image - base).abs().max() > 1e-3
    assert (prompt - base).abs().max() > 1e-3


def test_the_image_tokens_can_be_explained(module: Any) -> None:
    tokens = images(1).requires_grad_(True)
    module(batch_of(module, [(SHORT, None)], tokens), frozenset({"hidden"}))["hidden"].sum().backward()
    assert tokens.grad is not None
    assert (tokens.grad.abs().sum(-1) > 0).all()


def test_generation_equals_a_naive_loop(module: Any) -> None:
    """Against the whole sequence read again for every token, one row at a time, with no cache and no padding."""
    tokens = images(2)
    pairs = [(SHORT, None), (QUESTION, None)]
    fast = module.generate(batch_of(module, pairs, tokens), 12)
    stop = module._text.control["<|im_end|>"]
    for i, (prompt, _) in enumerate(pairs):
        row = module.tokenize(prompt, None)
        written: list[int] = []
        while len(written) < 12:
            grown = type(row).of((*row.prompt, *written))
            batch = {**lay_out([grown], module.pad_id), "clip.image_tokens": tokens[i : i + 1]}
            with torch.no_grad():
                state = module(batch, frozenset({"hidden"}))["hidden"]
                token = int(module.base.lm_head(state).argmax())
            if token == stop:
                break
            written.append(token)
        assert fast[i] == module._text.read(written)
    assert fast[0] != fast[1]


def test_generation_ignores_the_target_and_keeps_the_mode(checkpoint: Path) -> None:
    module = build(checkpoint, token_dropout=0.5, connector_dropout=0.5).train()
    tokens = images(1)
    bare = module.generate(batch_of(module, [(SHORT, None)], tokens), 6)
    assert module.generate(batch_of(module, [(SHORT, "nevus")], tokens), 6) == bare
    assert module.training


def test_state_round_trip_is_bitwise(checkpoint: Path, module: Any) -> None:
    other = build(checkpoint, seed=4).eval()
    batch = batch_of(module, [(QUESTION, "nevus")], images(1))
    state = module.trained_state()
    assert not torch.equal(other(batch, BOTH)["hidden"], module(batch, BOTH)["hidden"])
    other.load_trained_state(state)
    assert all(torch.equal(state[name], tensor) for name, tensor in other.trained_state().items())
    assert torch.equal(other(batch, BOTH)["hidden"], module(batch, BOTH)["hidden"])


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(checkpoint: Path) -> None:
    module = build(checkpoint)
    before = module.trained_state()
    state = dict(before)
    state["connector.up.extra"] = state.pop("connector.up.weight")
    with pytest.raises(ValueError, match=r"missing connector\.up\.weight, unexpected connector\.up\.extra"):
        module.load_trained_state(state)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.trained_state().items())


def test_weights_come_from_the_seed_alone(checkpoint: Path) -> None:
    torch.manual_seed(1)
    one = build(checkpoint).trained_state()
    torch.manual_seed(2)
    drawn = torch.random.get_rng_state()
    two = build(checkpoint, connector_dropout=0.1, quantize="none").trained_state()
    assert torch.equal(torch.random.get_rng_state(), drawn)
    assert all(torch.equal(one[name], two[name]) for name in one)
    other = build(checkpoint, seed=4).trained_state()
    assert not torch.equal(one["connector.up.weight"], other["connector.up.weight"])
    assert not torch.equal(one["lora.layers.0.mlp.up_proj.A"], other["lora.layers.0.mlp.up_proj.A"])


def test_adapters_start_without_effect(checkpoint: Path) -> None:
    wide, narrow = build(checkpoint, lora=Lora(r=16)).eval(), build(checkpoint, lora=Lora(r=4)).eval()
    batch = batch_of(wide, [(QUESTION, None)], images(1))
    assert torch.equal(wide(batch, frozenset({"hidden"}))["hidden"], narrow(batch, frozenset({"hidden"}))["hidden"])


def test_without_quantisation_the_language_model_is_qwens_own(checkpoint: Path) -> None:
    """Same states as transformers' whole model on the same embeddings and grid."""
    from transformers import Qwen2_5_VLForConditionalGeneration

    module = build(checkpoint, quantize="none").eval()
    whole = Qwen2_5_VLForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32).eval()
    batch = batch_of(module, [(QUESTION, None)], images(1))
    ids = batch["token_ids"]
    merge = whole.config.vision_config.spatial_merge_size
    with torch.no_grad():
        state = module(batch, frozenset({"hidden"}))["hidden"]
        embeds = whole.get_input_embeddings()(ids)
        embeds[ids == whole.config.image_token_id] = module.connector(batch["clip.image_tokens"]).flatten(0, 1)
        expected = whole(
            input_ids=ids,
            inputs_embeds=embeds,
            mm_token_type_ids=(ids == whole.config.image_token_id).int(),
            image_grid_thw=torch.tensor([[1, 4 * merge, 4 * merge]]),
        ).logits[:, -1]
    torch.testing.assert_close(module.base.lm_head(state), expected, atol=1e-4, rtol=0)


def test_token_dropout_acts_in_training_only(checkpoint: Path) -> None:
    module = build(checkpoint, token_dropout=0.5)
    batch = batch_of(module, [(SHORT, None)], images(1))
    want = frozenset({"hidden"})
    with torch.no_grad():
        module.train()
        assert not torch.equal(module(batch, want)["hidden"], module(batch, want)["hidden"])
        module.eval()
        assert torch.equal(module(batch, want)["hidden"], module(batch, want)["hidden"])


def test_gradient_checkpointing_changes_no_gradient(checkpoint: Path) -> None:
    def gradients(on: bool) -> dict[str, Tensor]:
        module = build(checkpoint, gradient_checkpointing=on).train()
        batch = batch_of(module, [(QUESTION, "nevus")], images(1))
        F.cross_entropy(module(batch, BOTH)["rationale_logits"], batch["rationale_targets"]).backward()
        return {name: p.grad for name, p in module.named_parameters() if p.grad is not None}

    plain, checkpointed = gradients(False), gradients(True)
    assert plain.keys() == checkpointed.keys()
    assert all(torch.equal(plain[name], checkpointed[name]) for name in plain)


def test_pooling_quarters_the_image_tokens(checkpoint: Path) -> None:
    module = build(checkpoint, pool=2).eval()
    row = module.tokenize(SHORT, None)
    assert row.prompt.count(module._text.placeholder) == P // 4
    assert torch.isfinite(module(batch_of(module, [(SHORT, None)], images(1)), frozenset({"hidden"}))["hidden"]).all()


def test_label_rows_are_the_heads_own_and_clashes_are_refused(module: Any) -> None:
    rows = module.label_rows(["nevus", "melanoma"])
    first = module._text.plain("nevus")[0]
    assert torch.equal(rows[0], module.base.lm_head.weight[first])
    with pytest.raises(ValueError, match="same token: 'nevus', 'nevus'"):
        module.label_rows(["nevus", "nevus", "melanoma"])


def test_wrong_token_count_and_unknown_signal_are_refused(module: Any) -> None:
    batch = batch_of(module, [(SHORT, None)], images(1)[:, :9])
    with pytest.raises(ValueError, match="9 image tokens, expected 16"):
        module(batch, frozenset({"hidden"}))
    with pytest.raises(ValueError, match="does not give logits"):
        module(batch, frozenset({"logits"}))
