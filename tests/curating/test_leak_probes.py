"""What one variable tells, and when that is a leak: shares settled by a cut, and legitimate fields let alone."""

from __future__ import annotations

import numpy as np
import pytest

from skinframe.curating.label_predictability import settled
from skinframe.curating.leak_probes import FIELD_LEAK, LEAK, judged, probed
from skinframe.sample import Sample


def brute(truth: np.ndarray, scores: np.ndarray) -> float:
    """The same by trying every cut."""
    most, best = min(0.01, (1 - truth.mean()) / 10), 0.0
    for cut in set(scores.tolist()):
        named = scores >= cut
        if (named & ~truth).sum() <= most * named.sum():
            best = max(best, (named & truth).sum() / truth.sum())
    return best


def test_the_settled_share_is_that_of_the_best_cut() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        truth = random.random(60) < random.uniform(0.1, 0.9)
        truth[:2] = True, False
        scores = np.round(truth * random.uniform(0, 2) + random.normal(size=60), 1)  # with ties
        assert settled(truth, scores) == pytest.approx(brute(truth, scores))


def test_a_frequent_class_is_not_settled_by_naming_everybody() -> None:
    """98 in 100 are benign, as in ISIC 2020: a value that is benign in 99 in 100 settles nothing."""
    truth = np.ones(10_000, dtype=bool)
    truth[:200] = False
    scores = np.zeros(10_000)
    scores[100:] = 1.0  # 9,900 named, 100 of them wrong
    assert settled(truth, scores) == 0
    scores[190:200] = 0.0
    assert settled(truth, np.where(scores > 0, 1.0, 0.0)) == 0
    scores[100:185] = 0.0
    assert settled(truth, scores) == 1.0  # 5 wrong of 9,805: under a tenth of 2 %


def samples(site: dict[int, str], labels: np.ndarray, seed: int = 0) -> list[Sample]:
    random = np.random.default_rng(seed)
    return [
        Sample(
            id=f"s{row:04d}",
            image=f"{row}.png",
            label=int(label),
            patient=f"p{row // 2}",
            metadata={"age": float(random.integers(20, 90)), "site": site.get(row, "back")},
        )
        for row, label in enumerate(labels)
    ]


def verdicts(rows: list[Sample], classes: tuple[str, ...]) -> dict[str, str]:
    from skinframe.curating.leak_probes import field_probes, file_probes

    known = probed(rows, classes)
    found = judged([*field_probes(rows, known), *file_probes(rows, known, {})])
    return {finding.name: finding.level for finding in found}


def test_a_word_that_settles_half_a_class_is_a_leak_though_its_auroc_is_not() -> None:
    """As `dx_type` of HAM10000 does: 'follow_up' stands on 55 % of the nevi and on nothing else."""
    random = np.random.default_rng(3)
    labels = (random.random(800) < 0.5).astype(int)
    told = {row: "ear" for row in np.flatnonzero(labels == 1) if random.random() < 0.6}
    rows = samples(told, labels)
    known = probed(rows, ("a", "b"))
    probe = known.probe("field:site", [row.metadata["site"] for row in rows], limit=FIELD_LEAK)
    assert probe.auroc is not None
    assert 0.7 < probe.auroc < LEAK
    assert probe.settled == pytest.approx(0.6, abs=0.05)
    assert verdicts(rows, ("a", "b")) == {"field:site": "leak"}


def test_an_age_as_clinical_as_any_is_to_know_and_a_file_name_as_strong_a_leak() -> None:
    """Mean ages of 38 and 68 with 15 years of spread: more than any class of the real tables shows."""
    random = np.random.default_rng(4)
    labels = (random.random(2000) < 0.4).astype(int)
    ages = np.where(labels == 1, random.normal(38, 15, 2000), random.normal(68, 15, 2000)).round()
    rows = samples({}, labels)
    known = probed(rows, ("a", "b"))
    values = [int(age // 5) for age in ages]
    as_field, as_name = known.probe("field:age", values, limit=FIELD_LEAK), known.probe("file-name:number", values)
    assert as_field.auroc == as_name.auroc
    assert LEAK < (as_field.auroc or 0) < FIELD_LEAK
    assert [finding.level for finding in judged([as_field, as_name])] == ["watch", "leak"]


def test_noise_is_no_leak() -> None:
    """Of 40 sets of noise, some with a rare or a frequent class, none shows one."""
    for seed in range(40):
        random = np.random.default_rng(seed)
        labels = (random.random(240) < random.choice([0.1, 0.5, 0.9])).astype(int)
        sites = dict(enumerate(random.choice(["ear", "back", "foot"], 240).tolist()))
        assert "leak" not in verdicts(samples(sites, labels, seed), ("a", "b")).values()
