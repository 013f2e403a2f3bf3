"""Hashed words: deterministic over processes, unit length, and dot products that follow shared words."""

import subprocess
import sys

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skinframe_clip import HashedText
from skinframe_clip.hashed_text_encoder import hashed_counts


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.text(max_size=80))
def test_any_text_gives_a_unit_or_zero_vector(text):
    (vector,) = HashedText().load("cpu").texts([text])
    norm = vector.norm().item()
    assert vector.shape == (256,)
    assert abs(norm - 1) < 1e-5 or norm == 0


def test_same_in_another_process():
    code = (
        "from skinframe_clip.hashed_text_encoder import hashed_counts; print(hashed_counts('atypical network', 32, 2))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(hashed_counts("Atypical  network!", 32, 2))


def test_shared_words_bring_texts_together():
    near, far = "melanoma with blue veil and streaks", "benign nevus, regular globules"
    vectors = HashedText().load("cpu").texts(["melanoma with blue veil", near, far])
    assert vectors[0] @ vectors[1] > 0.5 > vectors[0] @ vectors[2]


def test_unsigned_mean_is_unbiased():
    """The signs make the expected dot product of two texts without a common word zero, over widths."""
    products = []
    for width in range(64, 364):
        left, right = (torch.tensor(hashed_counts(t, width, 1)) for t in ("a b c d e f", "g h i j k l"))
        products.append((left @ right).item())
    assert abs(sum(products) / len(products)) < 0.25


def test_options_change_the_digest():
    digests = {HashedText(HashedText.Config(width=w, ngrams=n)).digest() for w in (64, 128) for n in (1, 2)}
    assert len(digests) == 4
