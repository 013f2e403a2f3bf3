"""Full names of the classes of every set, and which of them are malignant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from skinframe_derm.templates import Template, read_template

# labels of sets whose names are in no template; a template is never edited once a run has used it
NAMES = {
    "ack": "actinic keratosis",
    "nev": "melanocytic nevus",
    "sek": "seborrheic keratosis",
    "sccka": "squamous cell carcinoma or keratoacanthoma",
    "ben_oth": "other benign lesion",
    "mal_oth": "other malignant lesion",
    "inf": "inflammatory or infectious condition",
    "unk": "none of the other classes",
}
# by the full name; actinic keratosis is no cancer, and AKIEC holds both, so that neither is counted
MALIGNANT = (
    "melanoma",
    "basal cell carcinoma",
    "squamous cell carcinoma",
    "squamous cell carcinoma or keratoacanthoma",
    "other malignant lesion",
    "malignant",
)


@cache
def _template() -> Template:
    return read_template("v1")


def class_name(label: str) -> str:
    """Return the full name of a label: 'SEK' -> 'seborrheic keratosis'; one that is no code with its words apart."""
    key = label.lower()
    if key in NAMES:
        return NAMES[key]
    plain = _template().class_name(label)
    # codes that are words with hyphens between them, as DDI's
    return plain.replace("-", " ") if plain.islower() and "-" in plain and " " not in plain else plain


def class_titles(classes: Sequence[str]) -> dict[str, str]:
    """Return the full name of each class."""
    return {name: class_name(name) for name in classes}


def malignant_classes(classes: Sequence[str], labels: Mapping[str, Mapping[str, str]] | None = None) -> tuple[str, ...]:
    """Return the classes that are malignant: as the set's own table of labels says, else by their names."""
    known = labels or {}
    return tuple(
        name
        for name in classes
        if (known[name].get("malignancy") == "malignant" if "malignancy" in known.get(name, {}) else _by_name(name))
    )


def _by_name(label: str) -> bool:
    name = class_name(label).lower()
    return name in MALIGNANT or name.startswith(("melanoma", "basal cell carcinoma", "squamous cell carcinoma"))


def diagnosis_words(classes: Sequence[str]) -> dict[str, str]:
    """Return every diagnosis that a text may name, by how it is written: those of `classes` and all that are known."""
    template = _template().data["classes"]
    others = {str(entry["name"]): str(entry["name"]) for entry in template.values()} | {n: n for n in NAMES.values()}
    others |= {"nevus": "nevus", "naevus": "nevus", "basalioma": "basal cell carcinoma", "lentigo": "lentigo"}
    return others | {class_name(name).lower(): name for name in classes} | {name.lower(): name for name in classes}
