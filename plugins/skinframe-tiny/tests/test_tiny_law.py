"""The law: tables are laws, the posterior is Bayes' rule, and what is drawn follows the tables."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from skinframe_tiny import likelihoods, patients

TABLES = {
    "colour": (likelihoods.COLOUR, likelihoods.COLOURS),
    "pattern": (likelihoods.PATTERN, likelihoods.PATTERNS),
    "border": (likelihoods.BORDER, likelihoods.BORDERS),
    "age": (likelihoods.AGE, likelihoods.AGES),
    "sex": (likelihoods.SEX, likelihoods.SEXES),
    "site": (likelihoods.SITE, likelihoods.SITES),
}


@pytest.fixture(scope="module")
def drawn() -> tuple[patients.Photograph, ...]:
    return patients.photographs(91, 12_000)


@pytest.fixture(scope="module")
def lesions(drawn: tuple[patients.Photograph, ...]) -> list[patients.Photograph]:
    return list({shown.sample.lesion: shown for shown in drawn}.values())


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_law_for_each_class(name: str) -> None:
    table, values = TABLES[name]
    assert table.shape == (len(likelihoods.CLASSES), len(values))
    assert (table > 0).all()
    np.testing.assert_allclose(table.sum(axis=1), 1)


def test_likelihood_sums_to_one_over_all_findings() -> None:
    """Enumerate all 2^7 · 4 · 6 · 2 images: the likelihood of each class is a law over them."""
    total = np.zeros(len(likelihoods.CLASSES))
    latents = itertools.product(
        range(len(likelihoods.COLOURS)), range(len(likelihoods.PATTERNS)), range(len(likelihoods.BORDERS))
    )
    marks = list(itertools.product([False, True], repeat=len(likelihoods.ATTRIBUTES)))
    for colour, pattern, border in latents:
        for attributes in marks:
            findings = likelihoods.Findings(colour=colour, pattern=pattern, border=border, attributes=attributes)
            total += likelihoods.image_likelihood(findings)
    np.testing.assert_allclose(total, 1)


def test_posterior_is_the_product_of_the_tables_written_out_by_hand() -> None:
    findings = likelihoods.Findings(
        colour=2, pattern=4, border=1, attributes=(False, False, True, False, False, False, False)
    )
    joint = []
    for c in range(len(likelihoods.CLASSES)):
        value = likelihoods.PRIOR[c] * likelihoods.COLOUR[c, 2] * likelihoods.PATTERN[c, 4] * likelihoods.BORDER[c, 1]
        for a, present in enumerate(findings.attributes):
            value *= likelihoods.ATTRIBUTE[c, a] if present else 1 - likelihoods.ATTRIBUTE[c, a]
        joint.append(
            value
            * likelihoods.AGE[c, likelihoods.AGES.index(75.0)]
            * likelihoods.SITE[c, likelihoods.SITES.index("head/neck")]
        )
    got = likelihoods.posterior(findings, {"age": 75.0, "sex": None, "site": "head/neck"})
    np.testing.assert_allclose(got, np.array(joint) / sum(joint))


def test_posterior_equals_class_frequencies_among_like_samples(lesions: list[patients.Photograph]) -> None:
    """Count: among lesions to which the law gives about p for a class, a share of about p has it."""
    labels = np.array([shown.sample.label for shown in lesions])
    said = np.array([likelihoods.posterior(shown.findings, shown.sample.metadata) for shown in lesions])
    for low, high in itertools.pairwise(np.linspace(0, 1, 6)):
        chosen = (said >= low) & (said < high)
        hits, count = (chosen & (labels[:, None] == np.arange(8))).sum(), chosen.sum()
        assert abs(hits - said[chosen].sum()) < 4 * np.sqrt(count * 0.25) + 1
        assert count > 100


def test_metadata_decides_where_the_image_cannot(lesions: list[patients.Photograph]) -> None:
    labels = np.array([shown.sample.label for shown in lesions])
    both = np.array([likelihoods.posterior(shown.findings, shown.sample.metadata) for shown in lesions]).argmax(axis=1)
    image = np.array([likelihoods.posterior(shown.findings, {}) for shown in lesions]).argmax(axis=1)
    balanced = [np.mean([(guess[labels == c] == c).mean() for c in range(8)]) for guess in (both, image)]
    assert 0.75 < balanced[0] < 0.85
    assert 0.04 < balanced[0] - balanced[1] < 0.14


def test_drawn_frequencies_follow_the_tables(lesions: list[patients.Photograph]) -> None:
    seen = {
        "colour": [likelihoods.COLOURS[shown.findings.colour] for shown in lesions],
        "pattern": [likelihoods.PATTERNS[shown.findings.pattern] for shown in lesions],
        "border": [likelihoods.BORDERS[shown.findings.border] for shown in lesions],
        **{name: [shown.sample.metadata[name] for shown in lesions] for name in ("age", "sex", "site")},
    }
    labels = [shown.sample.label for shown in lesions]
    for name, (table, values) in TABLES.items():
        for c in range(len(likelihoods.CLASSES)):
            counts = Counter(v for v, label in zip(seen[name], labels, strict=True) if label == c and v is not None)
            total = sum(counts.values())
            for value, share in zip(values, table[c], strict=True):
                # lesions of one patient share age and sex, hence the room beyond a binomial's
                assert abs(counts[value] - total * share) < 6 * np.sqrt(total * share * (1 - share)) + 4, (name, c)


def test_attributes_follow_the_table(lesions: list[patients.Photograph]) -> None:
    labels = np.array([shown.sample.label for shown in lesions])
    present = np.array([shown.findings.attributes for shown in lesions])
    for c in range(len(likelihoods.CLASSES)):
        count = (labels == c).sum()
        room = 4.5 * np.sqrt(likelihoods.ATTRIBUTE[c] * (1 - likelihoods.ATTRIBUTE[c]) / count) + 2 / count
        assert (np.abs(present[labels == c].mean(axis=0) - likelihoods.ATTRIBUTE[c]) < room).all()


def test_unknown_metadata_value_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'site'.*'elbow'"):
        likelihoods.metadata_likelihood({"site": "elbow"})
