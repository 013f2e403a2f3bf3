"""HAM10000 in folds: each image is tested once, and one training's luck weighs a fifth. Run it by hand; it is no test:

python tests/benchmarks/ham_folds.py --root ../shared/data/ham10000 --weights FILE.safetensors --out FOLDER \
    recipes/cfa_full.yaml recipes/ablations/cross_entropy.yaml

Runs that stand in FOLDER are not made again. `--set PATH=VALUE` holds for every run.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skinframe.components import Metric
from skinframe.evaluation.predictions import read_predictions
from skinframe.evaluation.scores_with_intervals import paired_difference, score
from skinframe.grid.engines.local_processes import LocalProcesses
from skinframe.grid.run_request import Request, RunItem
from skinframe.judging.reference_models import references
from skinframe.plugins import load
from skinframe.preparing.prepare import prepare
from skinframe.progress import Display
from skinframe.weighted_statistics import Floats, Ints

METRICS = ("balanced_accuracy", "macro_auroc", "nll", "balanced_nll", "brier")
PROBE = "linear probe + metadata, class-balanced"
Rows = dict[str, list[Floats]]


def item_of(recipe: str, fold: int, args: argparse.Namespace) -> RunItem:
    files = (f"data.config.root={args.root}", f"encoders.clip.config.weights={args.weights}")
    folds = (f"split.folds={args.folds}", f"split.fold={fold}")
    lean = ("evaluate.probes=false", "evaluate.explain=false")
    request = Request(recipe=recipe, presets=("ham10000", "mobilenet"), overrides=(*files, *folds, *lean, *args.set))
    plan = request.plan()
    cache = str(args.out / "cache")
    return RunItem(arm=recipe, seed=fold, request=request, name=plan.run_name, out=str(args.out), cache=cache)


def probes(item: RunItem, args: argparse.Namespace) -> Rows:
    """Return each probe's test probabilities, fitted to the very features, metadata and split of a run."""
    plan = item.request.also(("evaluate.probes=true",)).plan()
    folder = args.out / f"split-{item.seed}"
    folder.mkdir(exist_ok=True)
    prepared = prepare(plan, folder, Path(item.cache), "cpu", Display(quiet=True))
    return {name: [test] for name, _, _, test, _ in references(prepared) if name.startswith("linear probe")}


def gathered(items: Sequence[RunItem], args: argparse.Namespace) -> tuple[Rows, Ints, list[str]]:
    """Return each model's test probabilities over all folds, with labels and lesions in the same order."""
    rows: Rows = {}
    labels: list[Ints] = []
    groups: list[str] = []
    for fold in range(args.first):
        of_fold = [item for item in items if item.seed == fold]
        for item in of_fold:
            table, _ = read_predictions(item.folder / "predictions" / "test.parquet")
            rows.setdefault(Path(item.arm).stem, []).append(table.calibrated)
            rows.setdefault(f"{Path(item.arm).stem}, before calibration", []).append(table.probabilities)
        labels.append(table.labels)
        groups += [f"{fold}:{group}" for group in table.groups]
        for name, found in probes(of_fold[0], args).items():
            rows.setdefault(name, []).extend(found)
    return rows, np.concatenate(labels), groups


def measures() -> dict[str, Metric]:
    known = {name: load([]).entries["metric", name].component() for name in METRICS}
    return {name: metric for name, metric in known.items() if isinstance(metric, Metric)}


def show(rows: Rows, labels: Ints, groups: Sequence[str], recipes: Sequence[str]) -> None:
    metrics = measures()
    pooled = {name: np.concatenate(parts) for name, parts in rows.items()}
    print(f"{len(labels)} images, {len(set(groups))} lesions, {len(next(iter(rows.values())))} folds")
    for name, probabilities in pooled.items():
        scores = score(metrics, labels, probabilities, groups, seed=0)
        said = "  ".join(f"{key} {one.value:.3f} ({one.low:.3f} to {one.high:.3f})" for key, one in scores.items())
        print(f"{name}: {said}")
    stems = [Path(recipe).stem for recipe in recipes]
    pairs = [(first, other) for place, first in enumerate(stems) for other in [*stems[place + 1 :], PROBE]]
    for first, other in pairs:
        for key, metric in metrics.items():
            found = paired_difference(metric, labels, pooled[first], pooled[other], groups, seed=0)
            ends = f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f}, p {found.p:.3f})"
            print(f"{first} - {other}: {key} {ends}; by fold {by_fold(metric, rows[first], rows[other], labels)}")


def by_fold(metric: Metric, first: Sequence[Floats], other: Sequence[Floats], labels: Ints) -> str:
    ends = np.cumsum([len(part) for part in first])[:-1]
    found = []
    for a, b, y in zip(first, other, np.split(labels, ends), strict=True):
        found.append(metric.value(y, a, np.ones(len(y))) - metric.value(y, b, np.ones(len(y))))
    return " ".join(f"{value:+.3f}" for value in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--root", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--first", type=int, help="how many of the folds are tested (default: all)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--set", action="append", default=[])
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    args.first = args.first or args.folds
    items = [item_of(recipe, fold, args) for fold in range(args.first) for recipe in args.recipes]
    for outcome in LocalProcesses(workers=args.workers, threads=1, logs=args.out / "logs").submit(items):
        print(f"{outcome.item.label}: exit code {outcome.code}, {outcome.seconds:.0f} s {outcome.message}", flush=True)
    show(*gathered(items, args), args.recipes)


if __name__ == "__main__":
    main()
