"""How often a grid would call one arm better than another where neither is, and how often its interval holds the truth.

Two arms are trained `--seeds` times each and judged on the same patients. Every run has its own luck in skill, in its
leanings to classes and in each image, and every arm its own quirk with each patient; all come from one law for both
arms, so that over seeds and patients they do not differ. The rows: the interval of `skinframe ablate` (seeds, then
patients); Student's t over seeds alone, as in most papers; patients alone, on the first seed of each. Run it by hand:

    python tests/benchmarks/seed_interval.py --simulations 1000 --seeds 5
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from interval_coverage import PRIOR
from numpy.typing import NDArray
from scipy import stats

from skinframe.components import Metric
from skinframe.evaluation.bootstrap import replicate
from skinframe.evaluation.discrimination import BalancedAccuracy
from skinframe.evaluation.interval_methods import bounds, p_value
from skinframe.evaluation.proper_scores import NLL
from skinframe.evaluation.seed_bootstrap import over_seeds
from skinframe.weighted_statistics import minus

METRICS: tuple[Metric, ...] = (BalancedAccuracy(), NLL())
METHODS = ("seeds and patients", "t over seeds", "patients of one seed")
Arms = list[list[NDArray[np.float64]]]


def draw(
    random: np.random.Generator, patients: int, seeds: int, luck: float, gain: float
) -> tuple[NDArray[np.int64], Arms, list[str]]:
    """Return labels [N], probabilities [N, 4] of each arm and seed, and patient ids; the first arm has `gain` more."""
    sizes = 1 + np.minimum(random.geometric(1 / 6, patients) - 1, 22)
    member = np.repeat(np.arange(patients), sizes)
    law = np.exp(PRIOR + (random.normal(size=(patients, 4)) * 0.8)[member])
    law /= law.sum(axis=1, keepdims=True)
    labels = (random.random(len(member))[:, None] >= np.cumsum(law, axis=1)[:, :-1]).sum(axis=1)
    shared = PRIOR + (random.normal(size=(patients, 4)) * 0.8)[member] + random.normal(size=(len(member), 4)) * 0.8
    arms: Arms = []
    for arm in range(2):
        quirk = (random.normal(size=(patients, 4)) * 0.4)[member]
        arms.append([])
        for _ in range(seeds):
            logits = shared + quirk + random.normal(size=4) * luck + random.normal(size=shared.shape) * 0.3
            logits[np.arange(len(member)), labels] += 2.0 + random.normal() * luck + (gain if arm == 0 else 0.0)
            odds = np.exp(logits - logits.max(axis=1, keepdims=True))
            arms[arm].append(odds / odds.sum(axis=1, keepdims=True))
    return labels, arms, [str(one) for one in member]


def judged(
    metric: Metric, labels: NDArray[np.int64], arms: Arms, groups: list[str], seed: int, resamples: int
) -> dict[str, tuple[float, float, float]]:
    """Return low, high and p of the first arm less the second, by method."""
    pairs = zip(*arms, strict=True)
    gaps = {str(k): minus(metric.over(labels, a), metric.over(labels, b)) for k, (a, b) in enumerate(pairs)}
    found = list(replicate(gaps, groups, seed=seed, resamples=resamples).values())
    both = over_seeds(found, len(set(groups)), seed=seed)
    values = np.array(both.values)
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    alone = stats.ttest_1samp(values, 0.0).pvalue
    return {
        METHODS[0]: (both.low, both.high, both.p),
        METHODS[1]: (values.mean() - half, values.mean() + half, float(alone)),
        METHODS[2]: (*bounds(found[0], 0.95), p_value(found[0])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--patients", type=int, default=80)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--luck", type=float, nargs="+", default=[0.05, 0.2], help="how much runs of one arm differ")
    parser.add_argument("--gain", type=float, default=0.0, help="a true lead of the first arm, for power")
    parser.add_argument("--resamples", type=int, default=500)
    args = parser.parse_args()
    print(f"{args.simulations} simulations, {args.patients} patients, {args.seeds} seeds, gain {args.gain}")
    print(f"{'luck':>6} {'metric':20}{'method':24}{'p < 0.05':>10}{'holds 0':>10}")
    for luck in args.luck:
        said = {(m.name, method): [0, 0] for m in METRICS for method in METHODS}
        for simulation in range(args.simulations):
            random = np.random.default_rng((17, simulation))
            labels, arms, groups = draw(random, args.patients, args.seeds, luck, args.gain)
            for metric in METRICS:
                for method, (low, high, p) in judged(metric, labels, arms, groups, simulation, args.resamples).items():
                    said[metric.name, method][0] += p < 0.05
                    said[metric.name, method][1] += low <= 0.0 <= high
        for (name, method), (called, held) in said.items():
            shares = f"{100 * called / args.simulations:9.1f}%{100 * held / args.simulations:9.1f}%"
            print(f"{luck:6.2f} {name:20}{method:24}{shares}", flush=True)


if __name__ == "__main__":
    main()
