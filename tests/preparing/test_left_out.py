"""Rows that the chosen label set has no class for are counted in the report, not dropped in silence."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any


def test_rows_without_a_class_are_named_in_the_report(small: Any, tmp_path: Path) -> None:
    from skinframe_tiny import SyntheticDermoscopy

    import skinframe

    dataset = SyntheticDermoscopy(SyntheticDermoscopy.Config(images=36, seed=5))
    folder = tmp_path / "pad"
    (folder / "images").mkdir(parents=True)
    columns = ["itch", "grew", "hurt", "changed", "bleed", "elevation"]
    with (folder / "metadata.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["img_id", "patient_id", "lesion_id", "diagnostic", "age", "region", "fitspatrick", *columns])
        for n, sample in enumerate(dataset.samples()):
            (folder / "images" / f"PAT_{n}.png").write_bytes(dataset.image_bytes(sample))
            label = "ACK" if n < 4 else ("NEV", "MEL")[n % 2]
            table.writerow([f"PAT_{n}.png", f"PAT_{n // 2}", n, label, 60, "FACE", "2.0", *["False"] * 6])
    preset = tmp_path / "pad.yaml"
    preset.write_text(f"data: {{use: pad_ufes_20, config: {{root: {folder}, label_set: malignancy}}}}\n")
    kept = [one for one in small.overrides if not one.startswith("data.")]
    overrides = [*kept, "train.epochs=1", "prompt.config.image=clinical photograph"]
    options = {"out": tmp_path / "out", "cache": small.cache, "quiet": True, "presets": [str(preset)]}
    result = skinframe.run(small.recipe, overrides=overrides, **options)
    report = json.loads((result.folder / "report.json").read_text())
    said = [one for one in report.get("report", report)["warnings"] if "have no class" in one]
    assert said == ["4 rows have no class in this label set and were excluded: 4 ACK"]
    assert "4 rows have no class in this label set" in (result.folder / "report.html").read_text()
