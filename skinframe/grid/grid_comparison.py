"""Compares the finished runs of a grid, paired by seed and by patient."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from skinframe.components import Facts, Metric
from skinframe.errors import Problem, RecipeError, did_you_mean
from skinframe.evaluation.bootstrap import Replicates, replicate
from skinframe.evaluation.hypothesis_tests import holm, resamples_for
from skinframe.evaluation.interval_methods import centred
from skinframe.evaluation.predictions import Predictions, read_predictions
from skinframe.evaluation.seed_bootstrap import OverSeeds, over_seeds
from skinframe.grid.contrasts import Contrast
from skinframe.grid.grid import Grid
from skinframe.judging.model_comparison import aligned
from skinframe.judging.report_estimates import infos, known
from skinframe.plugins import load
from skinframe.reporting.grid_report import Figure, Paired
from skinframe.reporting.report_values import Estimate, MetricInfo
from skinframe.seeding import derive
from skinframe.weighted_statistics import Floats

RESAMPLES = 2000
EVERYTHING = (-math.inf, math.inf)


@dataclass(frozen=True, eq=False)
class ComparedRuns:
    """Replicates of every metric of every run, on the same draws of patients: `found[metric][arm][seed]`."""

    found: Mapping[str, Mapping[str, Sequence[Replicates]]]
    infos: tuple[MetricInfo, ...]
    spans: Mapping[str, tuple[float, float]]  # the values that a metric can have, where it is bounded
    groups: int
    samples: int
    seed: int
    level: float

    def figure(self, metric: str, arm: str) -> Figure:
        """Return an arm's mean over seeds."""
        over = self._over(self.found[metric][arm])
        figure = _within(_estimate(over), self.spans.get(metric, EVERYTHING))
        return Figure(arm=arm, metric=metric, estimate=figure, sd=known(over.sd), values=_values(over))

    def paired(self, contrasts: Sequence[Contrast]) -> tuple[Paired, ...]:
        """Return each contrast in each metric; p-values are adjusted together (Holm 1979)."""
        rows = [(contrast, metric, self._contrast(contrast, metric)) for contrast in contrasts for metric in self.found]
        adjusted = holm([over.p for *_, over in rows])
        return tuple(
            Paired(
                first=contrast.first,
                second=contrast.second,
                metric=metric,
                estimate=_within(_estimate(over), _of_contrast(contrast, self.spans.get(metric, EVERYTHING))),
                sd=known(over.sd),
                values=_values(over),
                p_value=known(over.p),
                adjusted=known(float(p)),
            )
            for (contrast, metric, over), p in zip(rows, adjusted, strict=True)
        )

    def _contrast(self, contrast: Contrast, metric: str) -> OverSeeds:
        arms = {name: self.found[metric][name] for name in contrast.coefficients}
        seeds = range(len(next(iter(arms.values()))))
        return self._over([_sum([(c, arms[name][s]) for name, c in contrast.coefficients.items()]) for s in seeds])

    def _over(self, replicates: Sequence[Replicates]) -> OverSeeds:
        return over_seeds(replicates, self.groups, seed=self.seed, level=self.level)


def compare_grid(grid: Grid) -> ComparedRuns:
    """Read every run's test predictions and resample them together.

    Raises DataError if a run was tested on other samples, RecipeError for an unknown metric.
    """
    tables = {item.name: read_predictions(item.folder / "predictions" / "test.parquet") for item in grid.items}
    first, classes = tables[grid.items[0].name]
    matched = dict(aligned([(name, table) for name, (table, _) in tables.items()], [one for _, one in tables.values()]))
    metrics = {name: m.given(Facts(classes=classes, groups=first.groups)) for name, m in metrics_of(grid).items()}
    recipe = grid.main.recipe
    seed = derive(recipe.seed, grid.kind)
    replicates_of: dict[str, dict[str, list[Replicates]]] = {
        name: {arm.name: [] for arm in grid.arms} for name in metrics
    }
    statistics = {
        (metric, item.arm, item.seed): measure.over(first.labels, _probabilities(grid, matched[item.name]))
        for metric, measure in metrics.items()
        for item in grid.items
    }
    # the larger family that Holm corrects for is each other arm against the reference, in every metric
    resamples = resamples_for((len(grid.arms) - 1) * len(metrics), least=RESAMPLES)
    keyed = {str(place): statistic for place, statistic in enumerate(statistics.values())}
    drawn = replicate(keyed, first.groups, seed=derive(seed, "bootstrap"), resamples=resamples, blocks=2)
    for (metric, arm, _), replicates in zip(statistics, drawn.values(), strict=True):
        # resampling adds noise to an error that noise only increases; that of one arm is not that of another
        replicates_of[metric][arm].append(centred(replicates) if metrics[metric].has_floor else replicates)
    count = len(set(first.groups))
    spans = {name: metric.span for name, metric in metrics.items()}
    return ComparedRuns(replicates_of, infos(metrics), spans, count, len(first.ids), seed, recipe.evaluate.level)


def metrics_of(grid: Grid) -> dict[str, Metric]:
    """Return the metrics that are compared, by name. Raises RecipeError for an unknown one."""
    recipe, request = grid.main.recipe, grid.arms[0].request
    entries = load(recipe.requires, [Path(file) for file in request.plugins], request.recipe).entries
    names = [name for kind, name in entries if kind == "metric"]
    wrong = [name for name in grid.metrics if name not in names and name not in grid.main.parts.metrics]
    if wrong:
        problems = [Problem("--metric", f"no metric named '{name}'{did_you_mean(name, names)}") for name in wrong]
        raise RecipeError(request.recipe, problems)
    own = grid.main.parts.metrics
    made = {name: own[name] if name in own else entries["metric", name].component() for name in grid.metrics}
    return {name: metric for name, metric in made.items() if isinstance(metric, Metric)}


def _probabilities(grid: Grid, table: Predictions) -> Floats:
    return table.probabilities if grid.before else table.calibrated


def _sum(terms: Sequence[tuple[float, Replicates]]) -> Replicates:
    return Replicates(
        estimate=float(sum(c * replicates.estimate for c, replicates in terms)),
        resampled=np.sum([c * replicates.resampled for c, replicates in terms], axis=0),
        left_out=np.sum([c * replicates.left_out for c, replicates in terms], axis=0),
    )


def _estimate(over: OverSeeds) -> Estimate:
    return Estimate(
        value=known(over.value), low=known(over.low), high=known(over.high), method=over.method, warnings=over.warnings
    )


def _of_contrast(contrast: Contrast, span: tuple[float, float]) -> tuple[float, float]:
    """Return the span of a sum of metrics with these coefficients, each of which has `span`."""
    ends = [sorted((c * span[0], c * span[1])) for c in contrast.coefficients.values() if c]
    return sum(low for low, _ in ends), sum(high for _, high in ends)


def _within(found: Estimate, span: tuple[float, float]) -> Estimate:
    """Return an estimate whose interval is cut at the ends of the span: stretching for few seeds may pass them."""
    if found.low is None or found.high is None:
        return found
    return replace(found, low=max(span[0], found.low), high=min(span[1], found.high))


def _values(over: OverSeeds) -> tuple[float | None, ...]:
    return tuple(value if math.isfinite(value) else None for value in over.values)
