"""Every data set and prompt of this plugin keeps its contract."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from layouts import LAYOUTS
from skinframe_derm import ClinicalTemplate, Ham10000, LocalLlm, paraphrase_file, register_metrics

from skinframe import Sample
from skinframe.testing import dataset_contract, metric_contract, prompt_contract
from skinframe.testing.prompt_laws import ATTRIBUTES, CLASSES

HAM = Path(__file__).parents[4] / "shared" / "data" / "ham10000"


@prompt_contract(
    ClinicalTemplate(),
    ClinicalTemplate(ClinicalTemplate.Config(paraphrases=4)),
    ClinicalTemplate(ClinicalTemplate.Config(metadata=False)),
)
def test_prompts(prompt, check):
    check(prompt)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a paraphrase of every description that the contract can draw; the model that wrote it is no part."""
    texts = set()
    for image in ("dermoscopic image", "clinical photograph"):
        template = ClinicalTemplate(ClinicalTemplate.Config(image=image))
        findings = (*itertools.product((True, False), repeat=len(ATTRIBUTES)), (None,) * len(ATTRIBUTES))
        for label, found in itertools.product(range(len(CLASSES)), findings):
            sample = Sample(id="s", image="s.png", label=label, attributes=found)
            texts.add(template.description(sample, CLASSES, ATTRIBUTES))
    made = paraphrase_file.Made(model="0" * 64, engine="none", instruction="say it again", max_new_tokens=48)
    path = tmp_path_factory.mktemp("said") / "said.jsonl"
    paraphrase_file.write(path, made, {text: f"shown here: {text}" for text in texts})
    return path


@prompt_contract()
def test_the_paraphrasing_prompt(check, said):
    prompt = LocalLlm(LocalLlm.Config(cache=str(said)))
    sample = Sample(id="s", image="s.png", label=0, attributes=(True, False, False))
    assert prompt.description(sample, CLASSES, ATTRIBUTES).startswith("shown here: a dermoscopic image of melanoma")
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
