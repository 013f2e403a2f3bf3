"""HAM10000 split and folded with many seeds: no lesion may ever stand in two parts. Run it by hand; it is no test:

python tests/benchmarks/ham_splits.py --root ../shared/data/ham10000 --seeds 100
"""

from __future__ import annotations

import argparse
import time

from skinframe_derm import Ham10000

from skinframe.data.group_split import PARTS, make_split
from skinframe.data.groups import split_leaks
from skinframe.data.kfold import make_folds, subset
from skinframe.data.prevalence import check_prevalence, prevalence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True)
    parser.add_argument("--seeds", type=int, default=100)
    args = parser.parse_args()
    data = Ham10000(Ham10000.Config(root=args.root))
    samples = list(data.samples())
    print(f"{len(samples)} images, {len({sample.lesion for sample in samples})} lesions")
    start, divided, drift, fewest = time.monotonic(), 0, 0.0, len(samples)
    for seed in range(args.seeds):
        split = make_split(samples, seed=seed)
        check_prevalence(split, samples, data.classes)
        drift = max(drift, *(abs(row.drift) for row in prevalence(split, samples, data.classes)))
        fewest = min(fewest, *(row.images for row in prevalence(split, samples, data.classes)))
        small = subset(split, samples, share=0.12, seed=seed)
        for part_of in (
            {index: name for name in PARTS for index in split.part(name)},
            {index: name for name in PARTS for index in small.part(name)},
            {index: str(fold) for index, fold in enumerate(make_folds(samples, folds=5, seed=seed))},
        ):
            divided += sum(map(len, split_leaks(part_of, samples).values()))
    print(f"{args.seeds} seeds, each split, 12 % subset and 5 folds: {divided} lesions divided")
    print(f"largest drift of a class's share {drift:.4f}, fewest images of a class in a part {fewest}")
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
