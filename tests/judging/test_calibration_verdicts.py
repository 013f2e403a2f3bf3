"""What an evaluation may say of calibration: of the top class, of every class, and nothing on too few draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skinframe.evaluation.calibration_error import ECE, ECEClasswise
from skinframe.evaluation.reliability import classwise_floor, null_floor
from skinframe.judging.prediction_figures import JudgedSamples, reliability_of
from skinframe.reporting import formatting
from skinframe.reporting.report_values import Reliability
from skinframe.weighted_statistics import Floats, Ints

N = 1500


def judged(probabilities: Floats, labels: Ints, resamples: int = 200) -> Reliability:
    classes = tuple(f"class {c}" for c in range(probabilities.shape[1]))
    groups = [str(row) for row in range(len(labels))]
    samples = JudgedSamples(
        classes=classes, labels=labels, groups=groups, seed=3, resamples=resamples, level=0.95, units=groups
    )
    ece = samples.scored({"ece": ECE()}, probabilities)["ece"]
    return reliability_of(samples, "as given", probabilities, ece)


def honest(seed: int = 0, classes: int = 4, sharp: float = 2.0) -> tuple[Floats, Ints]:
    """Return probabilities of a long tail of classes and labels drawn from them."""
    random = np.random.default_rng(seed)
    z = sharp * random.normal(size=(N, classes)) - np.arange(classes)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = (random.random(N)[:, None] >= np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
    return p, y


def rare_class_times(p: Floats, factor: float) -> Floats:
    """Take more of the rarest class out of the runner-up, so that the top class keeps its probability."""
    rare = p.shape[1] - 1
    moved = p.copy()
    for row in range(len(p)):
        order = np.argsort(-moved[row])
        if rare in order[:2]:
            continue
        extra = min(moved[row, order[1]] * 0.9, moved[row, rare] * (factor - 1))
        moved[row, order[1]] -= extra
        moved[row, rare] += extra
    return moved


def test_honest_probabilities_show_no_departure_of_either_kind() -> None:
    p, y = honest()
    diagram = judged(p, y)
    assert diagram.verdict is not None
    assert diagram.classwise is not None
    assert (diagram.verdict.passed, diagram.classwise.passed) == (True, True)
    assert "of the top class or of the classes one by one" in formatting.reliability_sentence(diagram)


@pytest.mark.parametrize("classes", [3, 4, 7])
def test_a_rare_class_that_is_given_too_much_is_a_departure_though_the_top_class_is_calibrated(classes: int) -> None:
    p, y = honest(classes=classes)
    diagram = judged(rare_class_times(p, 30.0), y)
    assert diagram.verdict is not None
    assert diagram.classwise is not None
    assert diagram.verdict.passed
    assert diagram.classwise.passed is False
    said = formatting.reliability_sentence(diagram)
    assert said.startswith("A departure from calibration was found: of the classes one by one")
    assert "No departure" not in said


def test_probabilities_of_the_other_classes_that_change_places_are_a_departure() -> None:
    p, y = honest(sharp=1.0)
    swapped = np.sort(p, axis=1)[:, ::-1]  # the top keeps its value, the rest is in order whatever the class
    rest = np.argsort(-p, axis=1)[:, [0, 3, 2, 1]]
    wrong = np.empty_like(p)
    np.put_along_axis(wrong, rest, swapped, axis=1)
    diagram = judged(wrong, y)
    assert diagram.classwise is not None
    assert diagram.classwise.passed is False


@pytest.mark.parametrize("draws", [1, 10, 19, 100])
def test_too_few_draws_pass_nothing(draws: int) -> None:
    p, y = honest()
    overconfident = p**3 / (p**3).sum(axis=1, keepdims=True)
    for probabilities in (p, overconfident):
        diagram = judged(probabilities, y, draws)
        for test in (diagram.verdict, diagram.classwise):
            assert test is not None
            assert test.passed is not True
            assert test.passed is None or draws >= 20
            assert test.passed is False or "too few" in test.detail
        assert "No departure" not in formatting.reliability_sentence(diagram)


def test_the_class_wise_floor_is_that_of_the_metric() -> None:
    p, y = honest()
    y, p, units = y[:200], p[:200], [str(row // 2) for row in range(200)]
    found = classwise_floor(y, p, seed=5, draws=40, units=units)
    expected = null_floor(ECEClasswise(), y, p, seed=5, draws=40, units=units)
    assert found is not None
    assert expected is not None
    assert found[0] == pytest.approx(ECEClasswise().value(y, p, np.ones(200)))
    assert (found[1].mean, found[1].upper) == pytest.approx((expected.mean, expected.upper))
    assert found[1].p == expected.p


def test_an_evaluation_with_few_resamples_claims_nothing(tmp_path: Path) -> None:
    import skinframe

    random = np.random.default_rng(0)
    lines = ["id,group,label,sex,probability:a,probability:b"]
    lines += [f"i{i},p{i},{'ab'[int(random.random() < 0.5)]},{'fm'[i % 2]},0.97,0.03" for i in range(300)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    found = skinframe.evaluate(tmp_path / "t.csv", out=tmp_path / "out", resamples=10, subgroups=["sex"])
    page = (found.folder / "report.html").read_text(encoding="utf-8")
    assert "No departure from calibration" not in page
    assert "too few" in page
    (gap,) = next(table for table in found.report.evidence if table.topic == "subgroups").checks
    assert gap.passed is None
