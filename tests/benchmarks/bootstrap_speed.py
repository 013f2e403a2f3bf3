"""How long a thousand resamples of the ISIC 2024 score take at its full size, beside a loop over scikit-learn.

401,059 rows of 1,042 patients with 393 positives, as in ISIC 2024's training set; scores are drawn, with ties. The loop
calls the official definition, with the very same multiplicities as sample weights, on as many resamples as asked for
(it takes about as long as they are many), and every value must agree. Run it by hand; it is no test:

    python tests/benchmarks/bootstrap_speed.py --loop 20
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from skinframe_derm.metrics.isic2024 import pauc_tpr80
from sklearn.metrics import roc_auc_score

from skinframe.evaluation.bootstrap import group_index, replicate

ROWS, PATIENTS, POSITIVES = 401_059, 1_042, 393


def draw(seed: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    random = np.random.default_rng(seed)
    share = random.dirichlet(np.ones(PATIENTS) * 1.2)
    patient = random.choice(PATIENTS, ROWS, p=share)
    truth = np.zeros(ROWS, dtype=bool)
    truth[random.choice(ROWS, POSITIVES, replace=False)] = True
    scores = np.round(1 / (1 + np.exp(4 - 3 * truth - random.normal(size=ROWS))), 4)
    return truth, scores, [str(one) for one in patient]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--loop", type=int, default=20, help="resamples that the scikit-learn loop does")
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    truth, scores, groups = draw(args.seed)

    started = time.process_time()
    found = replicate({"pauc": pauc_tpr80(truth, scores)}, groups, seed=1, resamples=args.resamples)["pauc"]
    ours = time.process_time() - started

    members = group_index(groups)
    random, count, m = np.random.default_rng(1), int(members.max()) + 1, 1 - 0.8
    worst, started = 0.0, time.process_time()
    for resample in range(args.loop):
        weights = np.bincount(random.integers(0, count, count), minlength=count)[members].astype(float)
        turned = roc_auc_score(~truth, -scores, max_fpr=m, sample_weight=weights)
        value = m**2 / 2 + (m - m**2 / 2) * (turned - 0.5) / 0.5
        worst = max(worst, abs(value - found.resampled[resample]))
    loop = (time.process_time() - started) / args.loop * args.resamples
    blocks = len(found.left_out)
    print(f"{ROWS:,} rows, {PATIENTS:,} patients, {POSITIVES} positives, {args.resamples:,} resamples, CPU seconds")
    print(f"ours       {ours:8.2f}  (with {blocks:,} jackknife blocks for the interval)")
    print(f"the loop   {loop:8.1f}  ({args.loop} resamples, times {args.resamples / args.loop:g})")
    print(f"ratio      {loop / ours:8.0f}")
    print(f"largest difference of any value {worst:.1e}")


if __name__ == "__main__":
    main()
