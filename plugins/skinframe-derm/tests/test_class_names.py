"""Every label of every set has a full name, and what is malignant follows the sets' own tables."""

import pytest
from skinframe_derm import ClinicalTemplate, PadUfes20
from skinframe_derm.class_names import class_name, class_titles, malignant_classes
from skinframe_derm.dataset_facts import read_facts

SETS = ["ham10000", "isic2018_task3", "isic2019", "isic2020", "milk10k", "pad_ufes_20", "derm7pt", "ddi"]


@pytest.mark.parametrize("name", SETS)
def test_no_label_is_left_as_an_abbreviation(name):
    facts = read_facts(name)
    for label, title in class_titles(list(facts.labels)).items():
        assert len(title) > 5 or title == "nevus"
        assert title != label or not label.isupper()
        assert "_" not in title


def test_labels_that_were_half_words_are_spelled_out():
    names = {label: class_name(label) for label in ("ACK", "SEK", "NEV", "SCCKA", "melanoma-in-situ", "BCC")}
    assert names == {
        "ACK": "actinic keratosis",
        "SEK": "seborrheic keratosis",
        "NEV": "melanocytic nevus",
        "SCCKA": "squamous cell carcinoma or keratoacanthoma",
        "melanoma-in-situ": "melanoma in situ",
        "BCC": "basal cell carcinoma",
    }
    prompt = ClinicalTemplate(ClinicalTemplate.Config(image="clinical photograph"))
    assert prompt.class_descriptions(["SEK"]) == ["a clinical photograph of seborrheic keratosis"]
    assert prompt.class_words(["ACK", "NEV"]) == ["actinic keratosis", "melanocytic nevus"]


@pytest.mark.parametrize(
    ("classes", "table", "malignant"),
    [
        (("BCC", "ACK", "NEV", "SEK", "SCC", "MEL"), "pad_ufes_20", ("BCC", "SCC", "MEL")),
        (("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"), "ham10000", ("bcc", "mel")),
        (("benign", "malignant"), "ddi", ("malignant",)),
        (("MEL", "NV", "MAL_OTH", "BEN_OTH"), "milk10k", ("MEL", "MAL_OTH")),
    ],
)
def test_malignant_classes(classes, table, malignant):
    assert malignant_classes(classes, read_facts(table).labels) == malignant
    assert malignant_classes(classes) == malignant


def test_a_set_says_both_without_its_data():
    dataset = PadUfes20()
    assert dataset.class_titles["SEK"] == "seborrheic keratosis"
    assert set(dataset.malignant) == {"BCC", "SCC", "MEL"}
