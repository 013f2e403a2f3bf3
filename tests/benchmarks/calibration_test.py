"""How often our own test calls the true law of the synthetic set uncalibrated, and how often it finds over-confidence.

Each draw makes the samples of `synthetic_dermoscopy` anew under another seed; no image is drawn. The Bayes classifier's
probabilities are the data's own law, so the test should speak in 5 % of the draws; a model that sharpens them must be
found. Run it by hand; it is no test:

    python tests/benchmarks/calibration_test.py --draws 400 --images 400
"""

from __future__ import annotations

import argparse

import numpy as np

from skinframe import plugins
from skinframe.evaluation.calibration_error import ECE, DebiasedL2
from skinframe.evaluation.reliability import null_floor
from skinframe.evaluation.smooth_ece import SmoothECE

METRICS = (ECE(), SmoothECE(), DebiasedL2())


def rejections(draws: int, images: int, sharper: float, resamples: int) -> dict[str, float]:
    """Return the share of draws in which each metric's floor says 'not calibrated' at p < 0.05."""
    kind = plugins.load(["tiny"]).entries["dataset", "synthetic_dermoscopy"].component
    found = dict.fromkeys((metric.name for metric in METRICS), 0)
    for seed in range(draws):
        dataset = kind(kind.Config(images=images, seed=10_000 + seed))
        samples = dataset.samples()
        law = np.stack([dataset.posterior(sample) for sample in samples]) ** sharper
        p = law / law.sum(axis=1, keepdims=True)
        labels = np.array([sample.label for sample in samples])
        units = [f"{sample.lesion or sample.id}" for sample in samples]
        for metric in METRICS:
            floor = null_floor(metric, labels, p, seed=seed, draws=resamples, units=units)
            found[metric.name] += floor.p < 0.05
    return {name: count / draws for name, count in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=199)
    args = parser.parse_args()
    print(f"{args.draws} draws of {args.images} images, {args.resamples} null draws each, p < 0.05")
    print(f"{'model':32}" + "".join(f"{metric.name:>26}" for metric in METRICS))
    for sharper, name in ((1.0, "the Bayes classifier"), (1.5, "sharpened by 1.5"), (2.0, "sharpened by 2")):
        shares = rejections(args.draws, args.images, sharper, args.resamples)
        print(f"{name:32}" + "".join(f"{100 * share:25.1f}%" for share in shares.values()))


if __name__ == "__main__":
    main()
