"""Runs side by side: their figures, paired differences from the evaluation, and what differs in their plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skinframe.atomic_write import write_atomic
from skinframe.errors import RecipeError
from skinframe.recipe.yaml_text import parse_mapping
from skinframe.reporting import claims, formatting
from skinframe.reporting.report_schema import Headline, Report
from skinframe.reporting.report_values import Difference, Estimate, MetricInfo, Number

ABSENT = "(not there)"
DERIVED = ("identity.", "graph.", "wiring.", "origins.", "dropped", "fingerprint")


@dataclass(frozen=True, kw_only=True)
class ModelTest:
    """A test of two runs on the same test samples; `adjusted` is p after Holm's correction within its method.

    With a `claim`, a small p says that the claim holds; without one, that the two runs differ.
    """

    first: str
    second: str
    method: str
    quantity: str
    estimate: Estimate
    p_value: Number = None
    adjusted: Number = None
    claim: str = ""
    alpha: float = 0.05
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A key of plan.yaml that is not the same in all runs, with each run's value as text."""

    path: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is compared: one name, headline and set of figures a run, in the order given."""

    names: tuple[str, ...]
    headlines: tuple[Headline, ...]
    metrics: tuple[MetricInfo, ...]
    figures: tuple[Mapping[str, Estimate], ...]
    differences: tuple[Difference, ...] = ()
    tests: tuple[ModelTest, ...] = ()
    settings: tuple[Setting, ...] = ()
    warnings: tuple[str, ...] = ()


def compare(
    reports: Sequence[Report],
    differences: Sequence[Difference] = (),
    names: Sequence[str] | None = None,
    tests: Sequence[ModelTest] = (),
) -> Comparison:
    """Compare runs by their main rows. `differences` and `tests` name runs as `names` (default: `run_names`) do."""
    figures = tuple(next((row.metrics for row in one.rows if row.role == "main"), {}) for one in reports)
    infos = {info.name: info for one in reports for info in formatting.columns(one)}
    return Comparison(
        names=tuple(names or run_names(reports)),
        headlines=tuple(one.headline for one in reports),
        metrics=tuple(info for info in infos.values() if any(info.name in each for each in figures)),
        figures=figures,
        differences=tuple(differences),
        tests=tuple(tests),
        settings=_settings([one.plan.yaml if one.plan else "" for one in reports]),
        warnings=_warnings([one.headline for one in reports]),
    )


def run_names(reports: Sequence[Report]) -> tuple[str, ...]:
    """Return each run's name, with its fingerprint where the name alone is not unique."""
    plain = [one.headline.name for one in reports]
    return tuple(
        name if plain.count(name) == 1 else f"{name} {one.headline.fingerprint[:8]}"
        for name, one in zip(plain, reports, strict=True)
    )


def to_html(comparison: Comparison) -> str:
    """Return one self-contained page, under the same rules as the report's."""
    from skinframe.reporting.page import environment

    readings = [(row, difference_sentence(row)) for row in comparison.differences]
    tests = [(test, model_test_sentence(test)) for test in comparison.tests]
    template = environment().get_template("compare.html.j2")
    return template.render(comparison=comparison, readings=readings, tests=tests, words=formatting)


def write_comparison(comparison: Comparison, path: Path) -> None:
    """Write the page to `path`, whole or not at all. Raises DiskError."""
    write_atomic(path, to_html(comparison).encode("utf-8", "replace"))


def difference_sentence(difference: Difference) -> str:
    """Say what a paired difference shows; a direction is named only where its interval and p leave zero out."""
    p = difference.adjusted if difference.adjusted is not None else difference.p_value
    if p is None or difference.estimate.low is None or difference.estimate.high is None:
        return "not tested"
    if not claims.shown(difference):
        return "no difference shown"
    return f"favours {difference.first if claims.favours_first(difference) else difference.second}"


def model_test_sentence(test: ModelTest) -> str:
    """Say what a test shows; a direction only where its p, Holm-corrected, is below alpha."""
    p = test.adjusted if test.adjusted is not None else test.p_value
    if p is None or test.estimate.value is None:
        return "not tested"
    if test.claim:
        return "shown" if p < test.alpha else "not shown"
    if p >= test.alpha or test.estimate.value == 0:
        return "no difference shown"
    return f"favours {test.first if test.estimate.value > 0 else test.second}"


def _settings(plans: Sequence[str]) -> tuple[Setting, ...]:
    flat = [_flat(_parsed(text)) for text in plans]
    paths = sorted({path for one in flat for path in one})
    rows = (Setting(path=path, values=tuple(one.get(path, ABSENT) for one in flat)) for path in paths)
    # the rest of plan.yaml (wiring, identity, dropped) only follows from the recipe
    return tuple(row for row in rows if len(set(row.values)) > 1 and not row.path.startswith(DERIVED))


def _parsed(text: str) -> Any:
    try:
        return parse_mapping(text, "plan.yaml") if text.strip() else {}
    except RecipeError:
        # a report from elsewhere may hold any text; its figures still compare
        return {}


def _flat(value: Any, path: str = "") -> dict[str, str]:
    if not isinstance(value, dict) or (not value and path):
        return {path: str(value)}
    found: dict[str, str] = {}
    for key, item in value.items():
        found |= _flat(item, f"{path}.{key}" if path else str(key))
    return found


def _warnings(headlines: Sequence[Headline]) -> tuple[str, ...]:
    said = []
    scales = list(dict.fromkeys(one.scale for one in headlines))
    if len(scales) > 1:
        said.append(f"the runs are of different scales: {', '.join(scales)}")
    sizes = {(one.n_test, one.groups_test) for one in headlines}
    if len(sizes) > 1:
        said.append("the runs were tested on different images: their figures do not compare directly")
    if len({one.seed for one in headlines}) > 1:
        said.append("the runs have different seeds: a difference may be the draw's")
    return tuple(said)
