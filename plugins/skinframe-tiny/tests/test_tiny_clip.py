"""The tiny CLIP: open_clip's own loader takes it, it knows what it was taught, and its build can be repeated."""

from __future__ import annotations

import hashlib
import io
import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skinframe_tiny
from PIL import Image
from skinframe_tiny import embedded_weights, likelihoods, patients

SEED = 555


@pytest.fixture(scope="module")
def loaded() -> tuple[Any, Any, Any]:
    import open_clip

    source = f"local-dir:{embedded_weights.clip()}"
    model, _, preprocess = open_clip.create_model_and_transforms(source)
    return model.eval(), open_clip.get_tokenizer(source), preprocess


@pytest.fixture(scope="module")
def features(loaded: tuple[Any, Any, Any]) -> tuple[Any, Any, list[Any]]:
    """Embeddings [N, D] and projected patch tokens [N, P, D] of a fresh world, through the folder's preprocessing."""
    import torch

    model, _, preprocess = loaded
    data = skinframe_tiny.SyntheticDermoscopy(skinframe_tiny.SyntheticDermoscopy.Config(images=240, seed=SEED))
    samples = list(data.samples())
    images = [preprocess(Image.open(io.BytesIO(data.image_bytes(sample)))) for sample in samples]
    with torch.inference_mode():
        model.visual.output_tokens = True
        pooled, tokens = model.visual(torch.stack(images))
        model.visual.output_tokens = False
        return pooled / pooled.norm(dim=-1, keepdim=True), tokens @ model.visual.proj, samples


def _texts(loaded: tuple[Any, Any, Any], texts: list[str]) -> Any:
    import torch

    with torch.inference_mode():
        return loaded[0].encode_text(loaded[1](texts), normalize=True)


def test_entry_points_name_the_folders() -> None:
    found = {point.name: point.load()() for point in entry_points(group="skinframe.weight_location")}
    assert found["clip"] == embedded_weights.clip()
    assert found["qwen"] == embedded_weights.qwen()


def test_folder_holds_safetensors_and_json_only_and_is_small() -> None:
    files = list(embedded_weights.clip().iterdir())
    assert {file.suffix for file in files} == {".json", ".safetensors"}
    assert sum(file.stat().st_size for file in files) < 5_000_000


def test_end_token_is_the_highest_id_even_when_a_text_is_cut(loaded: tuple[Any, Any, Any]) -> None:
    ids = loaded[1](["melanoma", "Ünknown wörds, 80 %", "atypical network and " * 60])
    assert ids.shape == (3, 56)
    end = loaded[1].tokenizer.eos_token_id
    assert end == max(loaded[1].tokenizer.get_vocab().values()) < loaded[0].vocab_size
    assert (ids.max(dim=1).values == end).all()
    assert ((ids == end).sum(dim=1) == 1).all()


def test_case_and_spacing_do_not_change_the_tokens(loaded: tuple[Any, Any, Any]) -> None:
    one, other = loaded[1](["A dermoscopic  image of MELANOMA", "a dermoscopic image of melanoma"])
    assert (one == other).all()


def test_zero_shot_is_far_above_chance(loaded: tuple[Any, Any, Any], features: tuple[Any, Any, list[Any]]) -> None:
    from skinframe_tiny.build import captions

    pooled, _, samples = features
    names = [f"a dermoscopic image of {words[0]}" for words in captions.CLASS_NAMES]
    guesses = (pooled @ _texts(loaded, names).T).argmax(dim=1).numpy()
    labels = np.array([sample.label for sample in samples])
    recalls = [(guesses[labels == c] == c).mean() for c in np.unique(labels)]
    assert np.mean(recalls) > 0.35  # chance is 0.125


def test_phrases_point_at_the_patches_that_show_them(
    loaded: tuple[Any, Any, Any], features: tuple[Any, Any, list[Any]]
) -> None:
    """An attribute's phrase is nearer to the patches under its mask than to the others of the same image."""
    from skinframe_tiny.build import captions

    _, tokens, samples = features
    data = skinframe_tiny.SyntheticDermoscopy(skinframe_tiny.SyntheticDermoscopy.Config(images=240, seed=SEED))
    near = (tokens / tokens.norm(dim=-1, keepdim=True)) @ _texts(loaded, [words[0] for words in captions.PRESENT]).T
    for a, name in enumerate(likelihoods.ATTRIBUTES):
        gaps = []
        for sample, scores in zip(samples, near[:, :, a].numpy(), strict=True):
            if sample.attributes[a]:
                share = data.masks(sample)[name].reshape(8, 16, 8, 16).mean(axis=(1, 3)).ravel()
                if (share > 0.25).any():
                    gaps.append(scores[share > 0.25].mean() - scores[share == 0].mean())
        assert np.mean(np.array(gaps) > 0) > 0.7, name


def test_figures_beside_the_weights_say_what_was_measured() -> None:
    figures = json.loads((embedded_weights.clip() / "figures.json").read_text())
    assert 0.35 < figures["zero_shot_balanced_accuracy"] < 0.85
    assert figures["probe_balanced_accuracy_class_weighted"] > 0.5


def test_captions_are_true_of_their_own_image_and_facts_are_exclusive() -> None:
    from skinframe_tiny.build import captions

    shown = patients.photographs(8, 200)
    held = captions.facts(shown)
    rng = np.random.default_rng(0)
    told = [captions.describe(rng, row) for row in held]
    assert captions.truth(held, told).diagonal().all()
    assert (held[:, : captions.AT_PRESENT].sum(axis=1) == 1).all()
    assert (held[:, captions.AT_PRESENT : captions.AT_ABSENT] != held[:, captions.AT_ABSENT : captions.AT_COLOUR]).all()
    class_only = captions.Caption(text="melanoma", states=(0,))
    expected = np.array([one.sample.label == 0 for one in shown])
    np.testing.assert_array_equal(captions.truth(held, [class_only])[:, 0], expected)


@pytest.mark.long
def test_a_miniature_build_gives_the_same_weights_twice(tmp_path: Path) -> None:
    import torch
    from skinframe_tiny.build.build_clip import build
    from skinframe_tiny.build.clip_training import ClipTrainingOptions

    threads = torch.get_num_threads()
    digests = []
    for name in ("one", "two"):
        build(tmp_path / name, ClipTrainingOptions(images=160, held_out=300, epochs=1, batch=32, captions=8))
        digests.append(hashlib.sha256((tmp_path / name / "open_clip_model.safetensors").read_bytes()).hexdigest())
    torch.set_num_threads(threads)
    assert digests[0] == digests[1]
