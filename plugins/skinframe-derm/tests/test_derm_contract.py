"""Every data set and prompt of this plugin keeps its contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from layouts import LAYOUTS
from skinframe_derm import ClinicalTemplate, Ham10000, register_metrics

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


@pytest.mark.parametrize("name", LAYOUTS)
@dataset_contract()
def test_official_sets(check, name, tmp_path):
    check(LAYOUTS[name].write(tmp_path))


@pytest.fixture(scope="module")
def ham():
    if not HAM.is_dir():
        pytest.skip("HAM10000 does not stand beside this project (../shared/data/ham10000)")
    return Ham10000(Ham10000.Config(root=str(HAM)))


@pytest.mark.shared
@dataset_contract()
def test_ham10000(check, ham):
    check(ham)
