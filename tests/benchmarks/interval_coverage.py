"""Coverage of nominal 95 % intervals when a patient's lesions resemble each other.

Each simulation draws patients with 1 to 23 lesions (mean about 6). A patient has a disposition to the rare classes and
a quirk that shifts all his scores, so his lesions are correlated in truth and in error. The true value of each metric
comes from one very large draw of the same law; for a metric with a null floor (ECE), whose interval is for its expected
value at this n, from the mean of many draws of this size. Run it by hand; it is no test:

    python tests/benchmarks/interval_coverage.py --simulations 300 --patients 80
    python tests/benchmarks/interval_coverage.py --all --simulations 300 --patients 80

The second judges every metric that can be named; those of one class look for the rarest, and operating points take
their threshold from one other draw of the same law.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from skinframe_derm.metrics.isic2024 import PAUC

from skinframe.components import BinaryMetric, Facts, Metric
from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.interval_methods import interval, recentred
from skinframe.evaluation.metric_registration import METRICS

PRIOR = np.log([0.62, 0.18, 0.12, 0.08])


def draw(random: np.random.Generator, patients: int) -> tuple[NDArray[np.int64], NDArray[np.float64], list[str]]:
    """Return labels [N], probabilities [N, 4] and patient ids [N] of that many patients."""
    sizes = 1 + np.minimum(random.geometric(1 / 6, patients) - 1, 22)
    member = np.repeat(np.arange(patients), sizes)
    disposition = random.normal(size=(patients, 4)) * 0.8
    quirk = random.normal(size=(patients, 4)) * 0.9
    law = np.exp(PRIOR + disposition[member])
    law /= law.sum(axis=1, keepdims=True)
    labels = (random.random(len(member))[:, None] >= np.cumsum(law, axis=1)[:, :-1]).sum(axis=1)
    logits = PRIOR + quirk[member] + random.normal(size=(len(member), 4)) * 0.9
    logits[np.arange(len(member)), labels] += 2.0
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return labels, odds / odds.sum(axis=1, keepdims=True), [str(one) for one in member]


def covered(low: float, high: float, truth: float) -> bool:
    return low <= truth <= high


def judged(everything: bool, patients: int, seed: int) -> dict[str, Metric]:
    """Return the metrics of a recipe that names none, or all of them."""
    facts = Facts(classes=("a", "b", "c", "d"), chosen_on=draw(np.random.default_rng((seed, 2)), patients)[:2])
    kinds = [*METRICS, PAUC] if everything else [kind for kind in METRICS if kind.by_default]
    return {
        kind.name: (kind(kind.Config(positive=("d",))) if issubclass(kind, BinaryMetric) else kind()).given(facts)
        for kind in kinds
    }


def simulate(
    metrics: dict[str, Metric], simulations: int, patients: int, resamples: int, seed: int
) -> dict[str, dict[str, float]]:
    """Return, for each metric, the share of intervals that hold the true value, by method."""
    labels, probabilities, _ = draw(np.random.default_rng(seed), 200_000)
    ones = np.ones(len(labels))
    truth = {name: metric.value(labels, probabilities, ones) for name, metric in metrics.items()}
    small = [draw(np.random.default_rng((seed, 1, one)), patients)[:2] for one in range(2000)]
    for name, metric in metrics.items():
        if metric.has_floor:
            truth[name] = float(np.mean([metric.value(y, p, np.ones(len(y))) for y, p in small]))
    hits = {name: dict.fromkeys(("ours", "patient percentile", "image percentile"), 0) for name in metrics}
    for simulation in range(simulations):
        labels, probabilities, patient = draw(np.random.default_rng((seed, 0, simulation)), patients)
        statistics = {name: metric.over(labels, probabilities) for name, metric in metrics.items()}
        images = [str(row) for row in range(len(labels))]
        ours = replicate(statistics, patient, seed=simulation, resamples=resamples)
        naive = replicate(statistics, images, seed=simulation, resamples=resamples, blocks=1)
        for name in metrics:
            biased, signed = metrics[name].has_floor, metrics[name].signed
            ends = recentred(ours[name], 0.95, signed=signed) if biased else interval(ours[name], 0.95)[:2]
            hits[name]["ours"] += covered(*ends, truth[name])
            for method, found in (("patient percentile", ours), ("image percentile", naive)):
                low, high = np.nanquantile(found[name].resampled, (0.025, 0.975))
                hits[name][method] += covered(low, high, truth[name])
    return {name: {method: count / simulations for method, count in by.items()} for name, by in hits.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=300)
    parser.add_argument("--patients", type=int, default=80)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--all", action="store_true", help="every metric that can be named")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of these, some")
    parser.add_argument("--seed", type=int, default=17)
    args = parser.parse_args()
    metrics = judged(args.all, args.patients, args.seed)
    metrics = {name: metric for name, metric in metrics.items() if not args.only or name in args.only}
    found = simulate(metrics, args.simulations, args.patients, args.resamples, args.seed)
    methods = list(next(iter(found.values())))
    print(f"{args.simulations} simulations, {args.patients} patients, {args.resamples} resamples, nominal 95 %")
    print(f"{'metric':28}" + "".join(f"{method:>22}" for method in methods))
    for name, shares in found.items():
        print(f"{name:28}" + "".join(f"{100 * shares[method]:21.1f}%" for method in methods))


if __name__ == "__main__":
    main()
