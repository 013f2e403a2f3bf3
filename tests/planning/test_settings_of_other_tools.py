"""Environment variables of other tools that would change numbers are refused by name; the rest do not matter."""

from __future__ import annotations

import pytest

from skinframe.errors import RecipeError
from skinframe.planning.load_plan import refuse_foreign_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "4"),
        ("ACCELERATE_MIXED_PRECISION", "fp16"),
        ("ACCELERATE_USE_DEEPSPEED", "true"),
        ("NVIDIA_TF32_OVERRIDE", "1"),
        ("ONEDNN_DEFAULT_FPMATH_MODE", "BF16"),
        ("TIMM_FUSED_ATTN", "2"),
    ],
)
def test_a_setting_that_changes_numbers_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(RecipeError, match=rf"{name}: is '{value}'.*unset {name}"):
        refuse_foreign_settings({name: value, "HOME": "/"})


def test_all_are_named_at_once() -> None:
    with pytest.raises(RecipeError, match="2 problems"):
        refuse_foreign_settings({"ACCELERATE_USE_FSDP": "1", "MKL_CBWR": "SSE2"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "1"),
        ("ACCELERATE_MIXED_PRECISION", "no"),
        ("TORCHINDUCTOR_CACHE_DIR", "cache"),
        ("OMP_NUM_THREADS", "8"),
        ("HF_HUB_OFFLINE", "1"),
    ],
)
def test_what_changes_nothing_is_left_alone(name: str, value: str) -> None:
    refuse_foreign_settings({name: value})
