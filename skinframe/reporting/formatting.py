"""Numbers and names as a reader sees them, and the only sentences of the page that make a claim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skinframe.reporting.report_schema import Report
from skinframe.reporting.report_values import (
    GROUNDING_TESTS,
    Estimate,
    Grounding,
    MetricInfo,
    Number,
    Reliability,
    ReportedTest,
)

STANDARD = (
    MetricInfo(
        name="balanced_accuracy",
        label="Balanced accuracy",
        meaning="the mean over the classes of the share of their images found; rare classes count as much as common",
    ),
    MetricInfo(name="accuracy", label="Accuracy", meaning="the share of all images given the right class"),
    MetricInfo(
        name="macro_auroc",
        label="Macro AUROC",
        meaning="how well each class is ranked above the others, averaged over the classes; 0.5 is chance",
    ),
    MetricInfo(
        name="nll",
        label="NLL",
        higher_is_better=False,
        meaning="the mean surprise (negative log-likelihood) at the true class; rewards honest probabilities",
    ),
    MetricInfo(
        name="brier",
        label="Brier score",
        higher_is_better=False,
        meaning="the squared distance between the probabilities and what was true",
    ),
    MetricInfo(
        name="ece",
        label="ECE, 15 bins",
        higher_is_better=False,
        meaning="the mean gap between stated confidence and accuracy; read it only beside its floor, which is what a "
        "perfectly calibrated model of this sharpness and number of images would score by chance",
    ),
)
OTHERS = (
    MetricInfo(
        name="balanced_nll",
        label="Balanced NLL",
        higher_is_better=False,
        meaning="the NLL averaged within each class first, so that rare classes count as much as common ones",
    ),
    MetricInfo(
        name="macro_f1",
        label="Macro F1",
        meaning="the mean over the classes of the harmonic mean of precision and recall; for comparison with papers",
    ),
)


def number(value: Number, digits: int = 3) -> str:
    """Return a fixed-point number, or `n/a` for one that is undefined."""
    return "n/a" if value is None or value != value else f"{value:.{digits}f}".replace("-", "\u2212")


def interval(estimate: Estimate | None, digits: int = 3) -> str:
    """Return `low to high`, or nothing where there is no interval."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    return f"{number(estimate.low, digits)} to {number(estimate.high, digits)}"


def count(value: int) -> str:
    """Return a whole number with thin groups of thousands."""
    return f"{value:,}"


def several(value: int, what: str) -> str:
    """Return a count with its noun: '1 epoch', '8 epochs'."""
    return f"{count(value)} {what}" if value == 1 else f"{count(value)} {what}s"


def percent(share: Number) -> str:
    """Return a share in [0, 1] as a whole percentage; under one percent but not nothing is said so."""
    if share is None or share != share:
        return "n/a"
    return "<1%" if 0 < share < 0.005 else f"{100 * share:.0f}%"


def plain(name: str) -> str:
    """Return a registered name as words: `soft_ece` becomes `soft ece`."""
    return name.replace("_", " ")


def columns(report: Report) -> tuple[MetricInfo, ...]:
    """Return the metrics to show: those that the report lists, else those of its rows, standard ones first."""
    present = list(dict.fromkeys(name for row in report.rows for name in row.metrics))
    listed = {info.name: info for info in report.metrics}
    known = {info.name: info for info in (*STANDARD, *OTHERS)}
    order = [*listed, *(name for name in known if name not in listed), *present]
    return tuple(
        _labelled(listed.get(name) or known.get(name) or MetricInfo(name=name), known)
        for name in dict.fromkeys(order)
        if name in present
    )


def _labelled(info: MetricInfo, known: dict[str, MetricInfo]) -> MetricInfo:
    standard = known.get(info.name, info)
    return MetricInfo(
        name=info.name,
        label=info.label or standard.label or plain(info.name).capitalize(),
        higher_is_better=info.higher_is_better,
        meaning=info.meaning or standard.meaning,
    )


def floor_sentence(estimate: Estimate | None) -> str:
    """Say what the floor of an estimate is; with no verdict, because a floor alone is none."""
    if estimate is None or estimate.floor is None:
        return ""
    floor = estimate.floor
    tail = f" (95th percentile {number(floor.p95)})" if floor.p95 is not None else ""
    return f"a perfectly calibrated model of this sharpness and n would score {number(floor.mean)}{tail}"


def reliability_sentence(diagram: Reliability) -> str:
    """State the outcome of the calibration tests: of the top class, and of every class's own probability.

    Only both together may say that no departure was found; one alone is said to be of what it tested.
    """
    made = [(test, what) for test, what in _calibration_tests(diagram) if test.passed is not None]
    if not made:
        reasons = [test.detail for test, _ in _calibration_tests(diagram) if test.detail]
        because = f" ({reasons[0]})" if reasons else ""
        return f"No test of calibration was made on these probabilities{because}, so none is claimed."
    failed = [(test, what) for test, what in made if not test.passed]
    if failed:
        return (
            "A departure from calibration was found: "
            + "; ".join(f"{what}, test “{test.name}”{_detail(test)}" for test, what in failed)
            + "."
        )
    if len(made) == 2:
        tests = " and ".join(f"“{test.name}”{_detail(test)}" for test, _ in made)
        return f"No departure from calibration was found, of the top class or of the classes one by one: tests {tests}."
    (test, what), untested = made[0], "class-wise" if made[0][0] is diagram.verdict else "top-class"
    return (
        f"No departure from calibration {what} was found: test “{test.name}”{_detail(test)}. {untested.capitalize()}"
        " calibration was not tested."
    )


def _calibration_tests(diagram: Reliability) -> list[tuple[ReportedTest, str]]:
    pairs = ((diagram.verdict, "of the top class"), (diagram.classwise, "of the classes one by one"))
    return [(test, what) for test, what in pairs if test is not None]


def grounding_sentence(grounding: Grounding) -> str:
    """Call the maps grounded only if every test was made and passed; otherwise say which is missing or failed."""
    made = {test.name for test in grounding.tests if test.passed is not None}
    missing = [name for name in GROUNDING_TESTS if name not in made]
    failed = [test.name for test in grounding.tests if test.passed is False]
    if not missing and not failed:
        return "Localisation, causal effect and sanity tests all passed: in this run, the heat maps are grounded."
    sentences = []
    if failed:
        sentences.append(f"Failed: {', '.join(failed)}.")
    if missing:
        sentences.append(f"Not tested: {', '.join(missing)}.")
    sentences.append("The maps show where the score was sensitive to the image; nothing more is claimed of them.")
    return " ".join(sentences)


def rationale_sentence(test: ReportedTest | None) -> str:
    """State the test of the written rationales against the majority answer, or that none was made."""
    if test is None or test.passed is None:
        return "No test against the majority answer was made, so no difference is claimed."
    outcome = "passed" if test.passed else "did not pass"
    return f"Test “{test.name}” {outcome}{_detail(test)}."


def metric_label(name: str) -> str:
    """Return a standard metric's label, or the name as words."""
    return next((info.label for info in (*STANDARD, *OTHERS) if info.name == name), plain(name))


def cautions(report: Report) -> list[str]:
    """Return what to know before quoting a figure of the table, each said once with the figures it touches."""
    touched: dict[str, list[str]] = {}
    for row in report.rows:
        for name, estimate in row.metrics.items():
            for warning in estimate.warnings:
                touched.setdefault(warning, []).append(f"{row.name}, {metric_label(name)}")
    total = sum(len(row.metrics) for row in report.rows)
    return [
        f"{warning} ({'all figures' if len(where) == total else '; '.join(where)})"
        for warning, where in touched.items()
    ]


def listed(words: Iterable[str]) -> str:
    """Join words as in a sentence: `a, b and c`."""
    items: Sequence[str] = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def _detail(test: ReportedTest) -> str:
    return f" ({test.detail})" if test.detail else ""
