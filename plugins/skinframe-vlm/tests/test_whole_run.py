"""A whole run with a family's own eyes: features cached, trained, evaluated and reported by the engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import skinframe

RECIPE = {
    "name": "own_eyes",
    "scale": "test",
    "data": {"use": "synthetic_dermoscopy", "config": {"images": 60, "seed": 110}},
    "prompt": {"use": "clinical_template"},
    "heads": {"classify": {"use": "linear"}},
    "losses": {"focal": {"use": "focal"}, "rationale": {"use": "rationale", "weight": 0.2}},
    "split": {
        "train": 0.7, "valid": 0.15, "test": 0.15, "max_drift": 1,
        "waive": ["MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC"],
    },
    "images": {"workers": 1},
    "train": {"epochs": 1, "batch_size": 16, "lr": 1e-3, "threads": 1},
    "evaluate": {"resamples": 50, "max_new_tokens": 4, "cases": 2, "probes": False},
}  # fmt: skip


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("qwen3_vl", {"native_size": 96, "native_aspect": "keep"}),
        ("llava", {"native_size": 56}),
    ],
)
def test_a_run_with_the_models_own_eyes(
    request: pytest.FixtureRequest, tmp_path: Path, family: str, options: dict[str, object]
) -> None:
    config = {"model": str(request.getfixturevalue(family)), "vision": "native", "lora": {"r": 2}, **options}
    recipe = {**RECIPE, "requires": ["cfa", "derm", "tiny", "vlm"], "reasoner": {"use": family, "config": config}}
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    result = skinframe.run(path, out=tmp_path / "out", cache=tmp_path / "cache", quiet=True)
    log = [json.loads(line) for line in (result.folder / "log.jsonl").read_text().splitlines()]
    assert log
    assert (result.folder / "report.html").is_file()


def test_one_reasoner_under_both_plugin_names(checkpoint: Path, tmp_path: Path) -> None:
    """A recipe that requires `qwen`, `vlm` or both plans the same class; with `qwen` alone as it did before."""
    config = {"model": str(checkpoint), "vision": "native", "native_size": 56}
    origins = {}
    for names in (["qwen"], ["vlm"], ["qwen", "vlm"]):
        recipe = {
            **RECIPE,
            "requires": ["cfa", "derm", "tiny", *names],
            "reasoner": {"use": "qwen2_5_vl", "config": config},
        }
        path = tmp_path / "recipe.yaml"
        path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
        plan = skinframe.plan(path)
        origins["+".join(names)] = plan.origins["reasoner"]
        assert type(plan.parts.reasoner).__module__ == "skinframe_vlm.models.qwen2_5_vl"
    assert origins["qwen"] == "skinframe-qwen 0.1.0"
    assert origins["vlm"] == "skinframe-vlm 0.1.0"
