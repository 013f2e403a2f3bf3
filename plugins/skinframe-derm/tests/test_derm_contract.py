"""Every data set and prompt of this plugin keeps its contract."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skinframe_derm import ClinicalTemplate, Ham10000, Table, register_metrics

from skinframe.testing import dataset_contract, metric_contract, prompt_contract

HAM = Path(__file__).parents[4] / "shared" / "data" / "ham10000"


@prompt_contract(
    ClinicalTemplate(),
    ClinicalTemplate(ClinicalTemplate.Config(paraphrases=4)),
    ClinicalTemplate(ClinicalTemplate.Config(metadata=False)),
)
def test_prompts(prompt, check):
    check(prompt)


@metric_contract(*(metric() for metric in register_metrics()))
def test_metrics(metric, check):
    check(metric)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Eight images of four patients, split by patient."""
    root = tmp_path_factory.mktemp("table")
    rows = ["id,image,label,patient,age,sex,site,split,veil"]
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 256, (12, 16, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        (root / f"{number}.png").write_bytes(buffer.getvalue())
        split = "test" if number < 4 else "train"
        label = ("mel", "nv")[number % 2]
        rows.append(f"i{number},{number}.png,{label},p{number // 2},6{number},male,head/neck,{split},yes")
    (root / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return Table(Table.Config(root=str(root), attributes=("veil",)))


@dataset_contract()
def test_table(check, table):
    check(table)


@pytest.fixture(scope="module")
def ham():
    if not HAM.is_dir():
        pytest.skip("HAM10000 does not stand beside this project (../shared/data/ham10000)")
    return Ham10000(Ham10000.Config(root=str(HAM)))


@pytest.mark.shared
@dataset_contract()
def test_ham10000(check, ham):
    check(ham)
