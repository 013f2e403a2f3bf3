"""Every family with its own eyes against transformers' whole model: logits, generation, adapters, 4-bit weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skinframe_vlm import Llava, Qwen3VL, Qwen25VL
from skinframe_vlm.models.qwen2_5_vl import patchify
from skinframe_vlm.reasoner_options import Lora
from torch import Tensor

from skinframe import BuildContext, PromptText
from skinframe.data.token_padding import lay_out

BOTH = frozenset({"hidden", "rationale_logits"})
QUESTIONS = (
    PromptText(system="You are a dermatologist.", user="Which class?"),
    PromptText(system="You are a dermatologist.", user="Age 60, sex male. Which class is this lesion?"),
)
TARGETS = ("melanoma: veil present", "nevus")
SIZES = ((200, 150), (90, 160))  # width, height


@dataclass(frozen=True)
class Case:
    """A family's reasoner, the fixture of its checkpoint, its input size and options, and what its model is given."""

    reasoner: Any
    fixture: str
    size: int
    options: dict[str, Any] = field(default_factory=dict)

    def build(self, folder: Path, **options: Any) -> tuple[Any, Any]:
        """Return the reasoner and its module."""
        options = {"vision": "native", "native_size": self.size, "lora": Lora(r=4), **self.options, **options}
        reasoner = self.reasoner(self.reasoner.Config(model=str(folder), **options))
        shapes = {"clip.image_tokens": (16, 24)}
        for name, encoder in reasoner.brings().items():
            shapes |= {f"{name}.{signal}": shape for signal, shape in encoder.provides().items()}
        return reasoner, reasoner.build(BuildContext(classes=("a", "b"), shapes=shapes, seed=3)).eval()

    def whole(self, folder: Path) -> Any:
        _, model_class = self.reasoner.family.classes()
        return model_class.from_pretrained(folder, dtype=torch.float32).eval()

    def pixels(self, image: Image.Image, grid: list[int]) -> dict[str, Tensor]:
        """Return what transformers' processor would give for the image at the size of its token grid."""
        from skinframe_vlm.native_vision_tower import pixels_of

        family = self.reasoner.family
        if family.model_type == "llava":
            return {"pixel_values": pixels_of(family, image, self.size, self.size).unsqueeze(0)}
        patch = 14 if family.model_type == "qwen2_5_vl" else 16
        height, width = (side * 2 * patch for side in grid)
        patches = patchify(pixels_of(family, image, height, width).unsqueeze(0), patch, 2, 2)[0]
        return {"pixel_values": patches, "image_grid_thw": torch.tensor([[1, 2 * grid[0], 2 * grid[1]]])}


CASES = {
    "qwen2_5_vl": Case(Qwen25VL, "checkpoint", 112),
    "qwen3_vl": Case(Qwen3VL, "qwen3_vl", 128),
    "qwen3_vl-sizes": Case(Qwen3VL, "qwen3_vl", 128, {"native_aspect": "keep"}),
    "llava": Case(Llava, "llava", 56),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Case, Path]:
    return request.param, request.getfixturevalue(request.param.fixture)


def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in SIZES]


def native_batch(reasoner: Any, module: Any, targets: tuple[str | None, ...] = TARGETS) -> dict[str, Tensor]:
    signals = reasoner.brings()["native"].load("cpu").images(pictures())
    rows = [module.tokenize(question, target) for question, target in zip(QUESTIONS, targets, strict=True)]
    return {**lay_out(rows, module.pad_id), **{f"native.{name}": tensor for name, tensor in signals.items()}}


def compacted(module: Any, batch: dict[str, Tensor], row: int) -> tuple[Tensor, list[int]]:
    """Return a row's ids [1, S] without padding and without placeholders beyond its image's grid, and that grid."""
    ids = batch["token_ids"][row][batch["token_mask"][row].bool()]
    at = (ids == module._text.placeholder).nonzero().flatten()
    side = round(len(at) ** 0.5)
    grid = batch.get("native.image_grid", torch.tensor([[side, side]] * len(SIZES)))[row].int().tolist()
    kept = torch.ones(len(ids), dtype=torch.bool)
    kept[at[grid[0] * grid[1] :]] = False
    return ids[kept].unsqueeze(0), grid


def whole_inputs(setup: Case, ids: Tensor, grid: list[int], placeholder: int, image: Image.Image) -> dict[str, Tensor]:
    inputs = {"input_ids": ids, **setup.pixels(image, grid)}
    if "image_grid_thw" in inputs:
        inputs["mm_token_type_ids"] = (ids == placeholder).int()
    return inputs


def test_logits_equal_those_of_the_whole_model(case: tuple[Case, Path]) -> None:
    """Image and text in one batch, against each row alone through transformers: states, answers and rationales."""
    setup, folder = case
    reasoner, module = setup.build(folder, quantize="none")
    batch, whole = native_batch(reasoner, module), setup.whole(folder)
    with torch.no_grad():
        ours = module(batch, BOTH)
        answers = whole.lm_head(ours["hidden"])
    start = 0
    for row, image in enumerate(pictures()):
        ids, grid = compacted(module, batch, row)
        count = int((batch["rationale_at"][:, 0] == row).sum())
        with torch.no_grad():
            theirs = whole(**whole_inputs(setup, ids, grid, module._text.placeholder, image)).logits[0]
        expected = theirs[-count - 1 : -1]
        torch.testing.assert_close(ours["rationale_logits"][start : start + count], expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(answers[row], expected[0], atol=1e-5, rtol=1e-5)
        start += count


def test_images_of_different_size_are_read_in_one_batch(qwen3_vl: Path) -> None:
    reasoner, module = CASES["qwen3_vl-sizes"].build(qwen3_vl)
    grids = native_batch(reasoner, module)["native.image_grid"].int().tolist()
    assert grids == [[3, 5], [5, 3]]
    assert all(rows * columns <= 16 for rows, columns in grids)


def test_greedy_generation_equals_transformers_own(case: tuple[Case, Path]) -> None:
    setup, folder = case
    reasoner, module = setup.build(folder, quantize="none")
    batch, whole = native_batch(reasoner, module, (None, None)), setup.whole(folder)
    texts = module.generate(batch, 8)
    for row, image in enumerate(pictures()):
        ids, grid = compacted(module, batch, row)
        inputs = whole_inputs(setup, ids, grid, module._text.placeholder, image)
        theirs = whole.generate(**inputs, max_new_tokens=8, do_sample=False, eos_token_id=module._text.end)
        assert texts[row] == module._text.read(theirs[0, ids.shape[1] :].tolist())
    assert texts[0] != texts[1]


def test_4_bit_weights_and_adapters_are_on_the_decoder_only(case: tuple[Case, Path]) -> None:
    import bitsandbytes
    from peft.tuners.lora import LoraLayer

    setup, folder = case
    reasoner, module = setup.build(folder)
    layers = module.base.get_submodule(setup.reasoner.family.language).config.num_hidden_layers
    for kind in (bitsandbytes.nn.Linear4bit, LoraLayer):
        names = {name for name, m in module.named_modules() if isinstance(m, kind)}
        assert len({name.removesuffix(".base_layer") for name in names}) == 7 * layers
        assert all(name.startswith(f"base.{setup.reasoner.family.language}.layers.") for name in names)
    module.train()
    outputs = module(native_batch(reasoner, module), BOTH)
    (outputs["hidden"].square().sum() + outputs["rationale_logits"].square().sum()).backward()
    trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
    assert len(trained) == len(module.trained_state()) == 14 * layers
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in trained.values())
    assert all(p.grad.abs().sum() > 0 for name, p in trained.items() if "lora_B" in name)


def test_the_module_table_counts_what_is_built(case: tuple[Case, Path]) -> None:
    setup, folder = case
    reasoner, module = setup.build(folder, quantize="none", vision="both")
    shapes = {"clip.image_tokens": (16, 24), "native.image_tokens": (16, 128)}
    rows = {row.name: row.parameters for row in reasoner.modules(shapes)}
    trained = sum(p.numel() for p in module.parameters() if p.requires_grad)
    assert rows["LoRA adapters"] + rows["connector"] == trained
    frozen = sum(p.numel() for p in module.parameters()) - trained
    assert sum(rows.values()) - trained == frozen
    eyes = reasoner.brings()["native"]
    assert eyes.modules()[0].parameters == sum(p.numel() for p in eyes.load("cpu").model.parameters())


def test_deepstack_reaches_the_decoder_with_the_models_own_eyes_only(qwen3_vl: Path) -> None:
    reasoner, module = CASES["qwen3_vl"].build(qwen3_vl, vision="both")
    batch = {**native_batch(reasoner, module), "clip.image_tokens": torch.randn(2, 16, 24)}
    with torch.no_grad():
        state = module(batch, BOTH)["hidden"]
        blind = module({**batch, "native.deepstack": torch.zeros_like(batch["native.deepstack"])}, BOTH)["hidden"]
    assert (state - blind).abs().max() > 1e-3
    reasoner, module = CASES["qwen3_vl"].build(qwen3_vl, vision="clip")
    assert reasoner.needs() == ("clip.image_tokens",)
    rows = [module.tokenize(question, None) for question in QUESTIONS]
    alone = module({**lay_out(rows, module.pad_id), "clip.image_tokens": torch.randn(2, 16, 24)}, frozenset({"hidden"}))
    assert torch.isfinite(alone["hidden"]).all()


def test_llavas_pixels_are_those_of_clips_processor() -> None:
    from skinframe_vlm.native_vision_tower import pixels_of
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    image = pictures()[0]
    size = {"size": {"shortest_edge": 56}, "crop_size": {"height": 56, "width": 56}}
    theirs = CLIPImageProcessorPil(**size)(image, return_tensors="pt")["pixel_values"][0]
    torch.testing.assert_close(pixels_of(Llava.family, image, 56, 56), theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [112, 336])
def test_llava_takes_its_towers_size_only(llava: Path, size: int) -> None:
    eyes = Llava.eyes(Llava.eyes.Config(model=str(llava), size=size))
    with pytest.raises(Exception, match=f"{size} is not the tower's 56"):
        eyes.provides()


def test_llavas_prompt_is_read_as_its_tokenizer_reads_it(llava: Path) -> None:
    from tokenizers import Tokenizer

    _, module = CASES["llava"].build(llava)
    text = f"<s>You are a dermatologist. USER: {'<image>' * 16}\nWhich class? ASSISTANT:"
    theirs = Tokenizer.from_file(str(llava / "tokenizer.json")).encode(text, add_special_tokens=False)
    assert list(module.tokenize(QUESTIONS[0], None).prompt) == theirs.ids
