"""What the interval of a calibration error holds: its expectation at this n, or the error of the whole population?

The law of every lesion is known: class shares that a patient's disposition and the image shift. One model tells that
law, so that its error in the population is exactly 0; the other raises it to the power `--sharper`. An error in bins,
or smoothed, reads more than the population's in any sample; the interval moves that noise back once, not twice, and so
is about the expectation at this n. Run it by hand; it is no test:

    python tests/benchmarks/calibration_coverage.py --simulations 500 --patients 80
"""

from __future__ import annotations

import argparse

import numpy as np
from interval_coverage import PRIOR
from numpy.typing import NDArray

from skinframe.components import Metric
from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.calibration_error import ECE, DebiasedL2
from skinframe.evaluation.interval_methods import recentred
from skinframe.evaluation.smooth_ece import SmoothECE

METRICS: tuple[Metric, ...] = (ECE(), SmoothECE(), DebiasedL2())
Drawn = tuple[NDArray[np.int64], NDArray[np.float64], list[str]]


def draw(random: np.random.Generator, patients: int, sharper: float) -> Drawn:
    """Return labels [N], the model's probabilities [N, 4] and patient ids [N]."""
    sizes = 1 + np.minimum(random.geometric(1 / 6, patients) - 1, 22)
    member = np.repeat(np.arange(patients), sizes)
    shift = (random.normal(size=(patients, 4)) * 1.2)[member] + random.normal(size=(len(member), 4)) * 1.8
    law = np.exp(PRIOR + shift)
    law /= law.sum(axis=1, keepdims=True)
    labels = (random.random(len(member))[:, None] >= np.cumsum(law, axis=1)[:, :-1]).sum(axis=1)
    told = law**sharper
    return labels, told / told.sum(axis=1, keepdims=True), [str(one) for one in member]


def population(sharper: float, seed: int) -> dict[str, float]:
    """Return each error where samples never end: 0 where the law is told, else that of one very large draw."""
    if sharper == 1.0:
        return {metric.name: 0.0 for metric in METRICS}
    labels, told, _ = draw(np.random.default_rng((seed, 9)), 60_000, sharper)
    return {metric.name: metric.value(labels, told, np.ones(len(labels))) for metric in METRICS}


def simulate(simulations: int, patients: int, resamples: int, sharper: float, seed: int) -> None:
    truth = population(sharper, seed)
    ends: dict[str, list[tuple[float, float, float]]] = {metric.name: [] for metric in METRICS}
    for simulation in range(simulations):
        labels, told, groups = draw(np.random.default_rng((seed, simulation)), patients, sharper)
        statistics = {metric.name: metric.over(labels, told) for metric in METRICS}
        found = replicate(statistics, groups, seed=simulation, resamples=resamples, blocks=1)
        for metric in METRICS:
            one = found[metric.name]
            ends[metric.name].append((*recentred(one, 0.95, signed=metric.signed), one.estimate))
    for name, rows in ends.items():
        low, high, value = np.array(rows).T
        expected = float(value.mean())
        holds = [100 * float(((low <= one) & (one <= high)).mean()) for one in (expected, truth[name])]
        print(
            f"{sharper:8.1f} {name:26}{expected:10.4f}{truth[name]:12.4f}{holds[0]:13.1f}%{holds[1]:13.1f}%", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--patients", type=int, default=80)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--sharper", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=17)
    args = parser.parse_args()
    print(f"{args.simulations} simulations, {args.patients} patients, {args.resamples} resamples, nominal 95 %")
    print(f"{'power':>8} {'metric':26}{'mean':>10}{'population':>12}{'holds mean':>14}{'population':>14}")
    for sharper in (1.0, args.sharper):
        simulate(args.simulations, args.patients, args.resamples, sharper, args.seed)


if __name__ == "__main__":
    main()
