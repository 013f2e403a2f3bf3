"""The embedded Qwen2.5-VL: its files, and that it reads word images and answers as the law says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from skinframe_tiny import embedded_weights, likelihoods
from skinframe_tiny.patients import photographs
from skinframe_vlm import Qwen25VL, QwenVision

from skinframe import BuildContext
from skinframe.data.token_padding import lay_out

FOLDER = embedded_weights.qwen()


def test_the_folder_is_small_and_holds_no_pickle() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    made = {"config.json", "figures.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert names == made | {"README.md"}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 6_000_000


def test_nothing_is_missing_to_run_it() -> None:
    reasoner = Qwen25VL(Qwen25VL.Config(model="embedded:qwen"))
    assert reasoner.missing() == []
    assert reasoner.provides()["hidden"] == (128,)
    assert QwenVision(QwenVision.Config(size=112)).provides() == {"image_tokens": (16, 128)}


def test_every_quantised_side_is_a_multiple_of_the_block() -> None:
    from skinframe_vlm.config_sizes import linear_shapes

    architecture = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    assert all(side % 64 == 0 for shape in linear_shapes(architecture["text_config"]) for side in shape)


def test_transformers_own_tokenizer_reads_it_alike() -> None:
    from skinframe_tiny.build import qwen_training_examples
    from skinframe_vlm.chat_template import ChatText
    from skinframe_vlm.models.qwen2_5_vl import CHAT
    from transformers import Qwen2Tokenizer

    theirs = Qwen2Tokenizer.from_pretrained(FOLDER, local_files_only=True)
    one = photographs(3, 1)[0]
    lesson = qwen_training_examples.lesson(np.random.default_rng(0), one, 4, in_question=False)
    row = ChatText(FOLDER, CHAT, [2]).row(lesson.prompt, lesson.rationale)
    text = (
        f"<|im_start|>system\n{lesson.prompt.system}<|im_end|>\n<|im_start|>user\n<|vision_start|><|image_pad|>"
        f"<|image_pad|><|vision_end|>{lesson.prompt.user}<|im_end|>\n<|im_start|>assistant\n{lesson.rationale}<|im_end|>"
    )
    assert list(row.prompt + row.target) == theirs(text)["input_ids"]


def test_every_word_of_an_image_stands_in_a_cell() -> None:
    from skinframe_tiny.build import qwen_training_examples

    rng = np.random.default_rng(0)
    for one in photographs(4, 20):
        words = qwen_training_examples.findings(rng, one)
        cells = qwen_training_examples.paint(rng, words, 4)
        shown = {word for cell in cells for word in cell}
        assert {word for group in words.values() for word in group} <= shown


def test_a_lesson_never_tells_the_label_in_its_question() -> None:
    from skinframe_tiny.build import qwen_training_examples

    rng = np.random.default_rng(0)
    for one in photographs(5, 50):
        for told in (True, False):
            user = qwen_training_examples.lesson(rng, one, 4, in_question=told).prompt.user
            assert not any(word in user for word in qwen_training_examples.CLASS_WORDS)


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    from skinframe_tiny.build.qwen_evaluation import evaluate

    torch.set_num_threads(1)
    return evaluate(FOLDER, world=990_001, count=200)


def test_it_knows_the_law_when_the_image_is_clear(figures: dict[str, Any]) -> None:
    """In NF4, on a world that neither training nor the committed figures saw."""
    assert figures["true_words"]["balanced_accuracy"] > 0.9 * figures["bayes_balanced_accuracy"]
    assert figures["true_words"]["attribute_balanced_accuracy"] > 0.9


def test_its_own_tower_sees_something(figures: dict[str, Any]) -> None:
    assert figures["own_tower"]["balanced_accuracy"] > 0.75 * figures["bayes_balanced_accuracy"]
    assert figures["own_tower"]["attribute_balanced_accuracy"] > 0.75


def test_the_committed_figures_are_of_these_weights(figures: dict[str, Any]) -> None:
    """Another world of 200 images: within what 200 images can tell."""
    committed = json.loads((FOLDER / "figures.json").read_text(encoding="utf-8"))
    for name in ("true_words", "own_tower"):
        assert abs(committed[name]["balanced_accuracy"] - figures[name]["balanced_accuracy"]) < 0.15


def test_answers_start_with_findings(tmp_path: Path) -> None:
    from skinframe_tiny.build import qwen_training_examples

    reasoner = Qwen25VL(Qwen25VL.Config(model="embedded:qwen"))
    shapes = {"clip.image_tokens": (16, 8)}
    module: Any = reasoner.build(BuildContext(classes=likelihoods.CLASSES, shapes=shapes, seed=0)).eval()
    sample = photographs(6, 1)[0].sample
    batch = lay_out(
        [module.tokenize(qwen_training_examples.PROMPT.question(sample, qwen_training_examples.FIELDS), None)],
        module.pad_id,
    )
    [text] = module.generate({**batch, "clip.image_tokens": torch.zeros(1, 16, 8)}, 40)
    assert text.startswith("Findings: ")
    assert text.endswith(".")


def test_training_is_a_function_of_its_seed(tmp_path: Path) -> None:
    from skinframe_tiny.build import build_qwen, qwen_language_training, qwen_training_examples
    from skinframe_tiny.build.qwen_tokenizer import write_tokenizer
    from transformers import Qwen2_5_VLForConditionalGeneration

    ids = write_tokenizer(tmp_path, qwen_training_examples.corpus_texts(photographs(1, 200)), build_qwen.VOCABULARY)
    options = qwen_language_training.LanguageTrainingOptions(photographs=50, steps=2, batch=4)

    def trained() -> torch.Tensor:
        torch.manual_seed(0)
        model: Any = Qwen2_5_VLForConditionalGeneration(build_qwen.config(ids))
        qwen_language_training.train(model, tmp_path, 1, options)
        return torch.cat([p.detach().flatten() for p in model.model.language_model.parameters()])

    assert torch.equal(trained(), trained())
