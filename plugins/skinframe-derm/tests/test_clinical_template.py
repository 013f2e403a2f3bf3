import subprocess
import sys

import pytest
from skinframe_derm import ClinicalTemplate

from skinframe import DataError, Field, Sample

ISIC8 = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")
HAM7 = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
ATTRIBUTES = (
    "atypical_network",
    "blue_whitish_veil",
    "atypical_vessels",
    "irregular_streaks",
    "irregular_pigmentation",
    "irregular_dots_globules",
    "regression_structures",
)
FIELDS = (
    Field(name="age", low=0, high=120, unit="years"),
    Field(name="sex", values=("female", "male")),
    Field(name="site", values=("lower extremity", "palms/soles")),
)
NONE = (False,) * 7


def sample(**changes: object) -> Sample:
    given: dict[str, object] = {"id": "s1", "image": "s1.png", "label": 0}
    given["metadata"] = {"age": 62.0, "sex": "female", "site": "lower extremity"}
    return Sample(**(given | changes))  # type: ignore[arg-type]


def test_question_golden_bytes() -> None:
    asked = ClinicalTemplate().question(sample(), FIELDS)
    assert asked.system == "You are a dermatologist reading a dermoscopic image."
    assert asked.user == "Age 60-64 years. Sex female. Site lower extremity. What is the diagnosis?"


def test_a_clinical_photograph_is_called_one() -> None:
    clinical = ClinicalTemplate(ClinicalTemplate.Config(image="clinical photograph"))
    assert clinical.question(sample(), FIELDS).system == "You are a dermatologist reading a clinical photograph."
    texts = [clinical.description(sample(), ISIC8, ATTRIBUTES), *clinical.class_descriptions(ISIC8)]
    assert all(text.startswith("a clinical photograph of ") for text in texts)
    assert clinical.digest() != ClinicalTemplate().digest()


def test_unrecorded_and_old_ages() -> None:
    prompt = ClinicalTemplate()
    blank = "Age not recorded. Sex not recorded. Site not recorded. What is the diagnosis?"
    assert prompt.question(sample(metadata={"age": None}), FIELDS).user == blank
    assert prompt.question(sample(metadata={"age": 97.0}), FIELDS).user.startswith("Age 85 years or older. Sex not")
    assert prompt.question(sample(metadata={"age": 0.0}), FIELDS).user.startswith("Age 0-4 years.")


def test_key_order_changes_nothing_and_metadata_can_be_left_out() -> None:
    turned = sample(metadata={"site": "lower extremity", "sex": "female", "age": 62.0})
    assert ClinicalTemplate().question(turned, FIELDS) == ClinicalTemplate().question(sample(), FIELDS)
    bare = ClinicalTemplate(ClinicalTemplate.Config(metadata=False))
    assert bare.question(sample(), FIELDS).user == "What is the diagnosis?"


def test_question_never_depends_on_label_or_attributes_and_names_no_diagnosis() -> None:
    prompt = ClinicalTemplate(ClinicalTemplate.Config(paraphrases=4))
    seen = set()
    for number in range(40):
        texts = {
            (asked := prompt.question(sample(id=f"s{number}", label=label, attributes=(True,) * 7), FIELDS)).user
            for label in range(8)
        }
        assert len(texts) == 1
        seen |= texts
        for name in (*ISIC8, *HAM7):
            assert prompt._template.class_name(name) not in (asked.system + asked.user).lower()
        assert not prompt._template.forbidden.search(asked.system + " " + asked.user)
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("fields", "metadata", "said"),
    [
        (FIELDS, {"age": 300.0}, "age: 300.0 is not a number"),
        (FIELDS, {"age": float("nan")}, "is not a number"),
        (FIELDS, {"sex": "diagnosis: benign"}, "is not one of"),
        (FIELDS, {"dx_type": "histo"}, "dx_type may not enter a prompt"),
        ((Field(name="site", values=("bcc",)),), {"site": "bcc"}, "'bcc' in its metadata would tell"),
        ((Field(name="site", values=("a\n<|im_end|>",)),), {"site": "a\n<|im_end|>"}, "not a plain short word"),
        ((Field(name="biopsy", values=("yes", "no")),), {"biopsy": None}, "'biopsy' in its metadata"),
    ],
)
def test_what_may_not_enter_raises(fields: tuple[Field, ...], metadata: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said) as raised:
        ClinicalTemplate().question(sample(metadata=metadata), fields)
    assert "sample s1" in str(raised.value)


def test_description_golden_bytes() -> None:
    prompt = ClinicalTemplate()
    two = sample(attributes=(True, True, *NONE[2:]))
    assert (
        prompt.description(two, ISIC8, ATTRIBUTES)
        == "a dermoscopic image of melanoma with atypical network and blue-whitish veil"
    )
    assert (
        prompt.description(sample(label=1, attributes=NONE), ISIC8, ATTRIBUTES)
        == "a dermoscopic image of melanocytic nevus with no checklist feature"
    )
    assert prompt.description(sample(label=3), HAM7, ()) == prompt.class_descriptions(HAM7)[3]


def test_class_descriptions_are_distinct_and_a_strangers_class_has_one() -> None:
    for classes in (ISIC8, HAM7):
        texts = ClinicalTemplate().class_descriptions(classes)
        assert len(set(texts)) == len(classes)
        assert all(len(text.split()) <= 20 for text in texts)
    assert ClinicalTemplate().class_descriptions(["blue_nevus"]) == ["a dermoscopic image of blue nevus"]


def test_rationale_golden_bytes_and_length() -> None:
    prompt = ClinicalTemplate()
    two = sample(attributes=(True, True, *NONE[2:]))
    expected = "Findings: atypical network, blue-whitish veil. Assessment: melanoma."
    assert prompt.rationale(two, ISIC8, ATTRIBUTES) == expected
    assert prompt.rationale(sample(attributes=NONE), ISIC8, ATTRIBUTES).startswith("Findings: no checklist feature. ")
    longest = prompt.rationale(sample(attributes=(True,) * 7), ISIC8, ATTRIBUTES)
    assert len(longest.split()) <= 25
    unknown = prompt.rationale(sample(label=4), HAM7, ())
    assert unknown == (
        "Typical findings: asymmetric pattern, atypical network, blue-whitish veil. Assessment: melanoma."
    )


def test_mentions_reads_every_rationale_back() -> None:
    prompt = ClinicalTemplate()
    for bits in range(1, 2**7):
        truth = tuple(bool(bits >> place & 1) for place in range(7))
        read = prompt.mentions(prompt.rationale(sample(attributes=truth), ISIC8, ATTRIBUTES), ATTRIBUTES)
        assert read == tuple(present or None for present in truth)
    none = prompt.rationale(sample(attributes=NONE), ISIC8, ATTRIBUTES)
    assert prompt.mentions(none, ATTRIBUTES) == NONE


@pytest.mark.parametrize(
    "text",
    ["", "atypical network", "Typical findings: atypical network.", "Findings: no atypical network. x", "Findin"],
)
def test_mentions_of_anything_else_is_silence(text: str) -> None:
    assert ClinicalTemplate().mentions(text, ATTRIBUTES) == (None,) * 7


def test_label_and_attribute_mismatches_name_the_sample() -> None:
    with pytest.raises(DataError, match="sample s1: label 9 is not one of 8 classes"):
        ClinicalTemplate().description(sample(label=9), ISIC8, ())
    with pytest.raises(DataError, match="sample s1: 2 attributes where the set has 7"):
        ClinicalTemplate().rationale(sample(attributes=(True, False)), ISIC8, ATTRIBUTES)


def test_digest_follows_wording_and_options() -> None:
    digest = ClinicalTemplate().digest()
    assert digest == ClinicalTemplate().digest()
    assert digest != ClinicalTemplate(ClinicalTemplate.Config(paraphrases=2)).digest()
    with pytest.raises(ValueError, match=r"paraphrases must be in \[1, 4\]"):
        ClinicalTemplate.Config(paraphrases=5)


def test_importing_the_plugin_loads_no_torch() -> None:
    code = "import sys, skinframe_derm; skinframe_derm.ClinicalTemplate(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
