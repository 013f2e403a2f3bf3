"""What the page claims of this model beside its references, its calibrator and its rationales: only what was tested."""

from __future__ import annotations

from collections.abc import Sequence

from skinframe.reporting.formatting import columns, count, interval, listed, number, percent, several
from skinframe.reporting.report_schema import ExampleCase, Report
from skinframe.reporting.report_values import Difference, MetricInfo, Number, RationaleQuality, ResultRow

BEFORE = "this run, before calibration"
GUESSES = ("uniform guess", "class prior")


def shown(difference: Difference) -> bool:
    """Say whether a paired difference is shown: neither its interval nor its p, Holm-corrected, holds with none."""
    p = difference.adjusted if difference.adjusted is not None else difference.p_value
    low, high = difference.estimate.low, difference.estimate.high
    return p is not None and low is not None and high is not None and p < 0.05 and not low <= 0 <= high


def favours_first(difference: Difference) -> bool:
    return ((difference.estimate.value or 0.0) > 0) == difference.higher_is_better


def bottom_line(report: Report) -> str:
    """Say in one sentence how this model compares with the best of its simple references; empty without figures."""
    main = next((row for row in report.rows if row.role == "main"), None)
    metric = "balanced_accuracy"
    if main is None or metric not in main.metrics:
        return ""
    head, own = report.headline, main.metrics[metric]
    where = f"on {count(head.n_test)} test images of {several(head.groups_test, head.group_level)}"
    value = f"balanced accuracy is {number(own.value)}" + (f" ({interval(own)})" if interval(own) else "")
    best = best_reference(report, metric)
    if best is None:
        return f"{where.capitalize()}, {value}; no reference stands beside it, so nothing says whether that is good."
    other, gap = best
    against = f"the best of its references, {other.name} ({number(other.metrics[metric].value)})"
    if gap is None or gap.estimate.value is None:
        return f"{where.capitalize()}, {value}; it was not tested against {against}."
    p = gap.adjusted if gap.adjusted is not None else gap.p_value
    sized = f"difference {number(gap.estimate.value)} ({interval(gap.estimate)}, p {probability(p)})"
    if not shown(gap):
        return f"Not shown to be better than {against}: {where}, {value}; {sized}."
    word = "Better" if favours_first(gap) else "Worse"
    return f"{word} than {against}: {where}, {value}; {sized}."


def best_reference(report: Report, metric: str) -> tuple[ResultRow, Difference | None] | None:
    """Return the best baseline in a metric with its paired difference; None where no baseline has it."""
    info = next((one for one in columns(report) if one.name == metric), MetricInfo(name=metric))
    rows = [row for row in report.rows if row.role == "baseline" and _value(row, metric) is not None]
    if not rows:
        return None
    best = (max if info.higher_is_better else min)(rows, key=lambda row: _value(row, metric) or 0.0)
    same = (one for one in report.differences if (one.second, one.metric) == (best.name, metric))
    return best, next(same, None)


def _value(row: ResultRow, metric: str) -> Number:
    return row.metrics[metric].value if metric in row.metrics else None


def probability(p: Number) -> str:
    """Return a p-value: three digits, or that it is below 0.001."""
    return "not known" if p is None else "< 0.001" if p < 0.001 else f"= {number(p)}"


def calibrator_sentence(report: Report) -> str:
    """Say whether the calibrator helps on these images, by the paired difference in NLL; empty where not tested."""
    gap = next((one for one in report.differences if (one.second, one.metric) == (BEFORE, "nll")), None)
    if gap is None or gap.estimate.value is None:
        return ""
    values = {row.name: _value(row, "nll") for row in report.rows}
    both = f"NLL {number(values.get(gap.first))} after and {number(values.get(BEFORE))} before"
    both += f" (difference {number(gap.estimate.value)}, {interval(gap.estimate)})"
    if not shown(gap):
        return f"On these images calibration makes no difference that is shown: {both}."
    word = "better" if favours_first(gap) else "worse"
    return f"On these images the probabilities are {word} after calibration: {both}."


def shift_warnings(report: Report) -> tuple[str, ...]:
    """Return what a reader must know first: a calibrator that harms here, and probabilities worse than a guess."""
    said = []
    for gap in report.differences:
        if gap.metric != "nll" or not shown(gap) or favours_first(gap):
            continue
        if gap.second == BEFORE:
            said.append(calibrator_sentence(report).rstrip(".") + "; use those before calibration here")
        elif gap.second in GUESSES:
            size = f"by {number(gap.estimate.value)} ({interval(gap.estimate)})"
            said.append(f"the probabilities are worse than a {gap.second} on these images: their NLL is higher {size}")
    return tuple(said)


def class_text(report: Report, label: str) -> str:
    """Return a class with its full name: 'SEK (seborrheic keratosis)'."""
    title = report.class_titles.get(label, "")
    return label if not title or title.lower() == label.lower() else f"{label} ({title})"


def agreement_sentence(quality: RationaleQuality) -> str:
    """Say how often the rationale names the model's own answer; empty where it was not read."""
    if quality.agreement is None:
        return ""
    said = f"{percent(quality.agreement.value)} of {count(quality.n)} rationales name the predicted class and no other"
    said += f" diagnosis ({interval(quality.agreement)})" if interval(quality.agreement) else " diagnosis"
    most = sorted(quality.named.items(), key=lambda pair: -pair[1])[:4]
    which = f" ({', '.join(f'{name} {times}' for name, times in most)})" if most else ""
    return f"{said}; {count(quality.others)} name another diagnosis{which}, {count(quality.silent)} name none."


def case_agreement(case: ExampleCase, classes: Sequence[str]) -> str:
    """Say how the rationale of a case stands to its prediction; empty where it was not read."""
    if case.names is None:
        return ""
    answer = classes[case.prediction]
    if case.names == (answer,):
        return "names the predicted class"
    if not case.names:
        return "names no diagnosis"
    return f"names {listed(case.names)}, the prediction is {answer}"


def set_sentence(case: ExampleCase, classes: Sequence[str]) -> str:
    """Return the classes that cannot be ruled out at 90 % for a case, and whether the model is unsure."""
    if case.prediction_set is None:
        return ""
    names = [classes[k] for k in case.prediction_set]
    if len(names) == 1:
        return f"prediction set (90 %): {names[0]} alone"
    return f"unsure: prediction set (90 %) of {listed(names)}" if names else "unsure: no class fits (90 % set is empty)"
