"""What a linear layer reaches on HAM10000 from a run's features, views and metadata. Run it by hand; it is no test:

python tests/benchmarks/ham_head.py --root ../shared/data/ham10000 --weights FILE.safetensors --out FOLDER

The layer reads LayerNorm of the pooled feature, and the metadata as numbers; it is trained as a head is (AdamW, focal
loss with the recipe's class weights, a stored view drawn for each image), without a reasoner. The epoch with the least
balanced NLL on the fold of validation that chooses is tested, over all views. Where the runs of `ham_folds.py` stand in
FOLDER, too, the recipe's are compared with it: what the reasoner adds to such a head.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from ham_folds import item_of, measures
from skinframe_cfa.classification.focal import Focal
from torch import Tensor, nn

from skinframe.components import Metric
from skinframe.data.batch_order import view_of
from skinframe.data.columns import metadata_matrix
from skinframe.evaluation.predictions import read_predictions
from skinframe.evaluation.scores_with_intervals import paired_difference, score
from skinframe.evaluation.softmax import mean_of_views, softmax
from skinframe.judging.reference_models import embeddings
from skinframe.predicting.validation_metrics import labels_of
from skinframe.preparing.image_cache import ImageTableCache
from skinframe.preparing.prepare import prepare
from skinframe.preparing.prepared_data import Prepared
from skinframe.progress import Display
from skinframe.train.optimiser import set_rate
from skinframe.weighted_statistics import Floats

RECIPE = "recipes/cfa_full.yaml"


class Head(nn.Module):
    """z = U dropout(LayerNorm(e)) + V m + b."""

    def __init__(self, width: int, told: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.image = nn.Sequential(nn.LayerNorm(width), nn.Dropout(dropout), nn.Linear(width, classes))
        self.told = nn.Linear(told, classes, bias=False)

    def forward(self, image: Tensor, told: Tensor) -> Tensor:
        logits: Tensor = self.image(image) + self.told(told)
        return logits


def inputs(prepared: Prepared, rows: tuple[int, ...], views: int) -> tuple[Tensor, Tensor]:
    """Return pooled features [views, N, D] and metadata [N, M]."""
    name = next(name for name in prepared.features if "image_embedding" in prepared.features[name].shapes)
    image = np.stack([embeddings(prepared, name, rows, view) for view in range(views)])
    told, _ = metadata_matrix([prepared.samples[row] for row in rows], prepared.plan.parts.dataset.fields)
    return torch.tensor(image).float(), torch.tensor(told).float()


def answers(head: Head, image: Tensor, told: Tensor) -> Floats:
    head.eval()
    with torch.inference_mode():
        return softmax(mean_of_views([head(view, told).double().numpy() for view in image]))


def trained(prepared: Prepared, metric: Metric, args: argparse.Namespace) -> Floats:
    """Train the layer on one fold; return the test probabilities of its best epoch."""
    recipe, split = prepared.plan.recipe, prepared.split
    chooses = prepared.folds.selection
    train, valid, test = (inputs(prepared, rows, recipe.views) for rows in (split.train, chooses, split.test))
    labels, truth = torch.tensor(labels_of(prepared, split.train)), labels_of(prepared, chooses)
    classes = len(prepared.plan.parts.dataset.classes)
    counts, loss = torch.bincount(labels, minlength=classes), Focal()
    torch.manual_seed(recipe.seed)
    head = Head(train[0].shape[-1], train[1].shape[-1], classes, args.dropout)
    group = {"params": head.parameters(), "base_lr": args.lr}
    optimiser = torch.optim.AdamW([group], args.lr, weight_decay=recipe.train.weight_decay)
    step, steps = 0, args.epochs * (len(labels) // recipe.train.batch_size)
    names = [prepared.samples[row].id for row in split.train]
    best, found = float("inf"), np.empty(0)
    for epoch in range(args.epochs):
        head.train()
        views = torch.tensor([view_of(recipe.seed, epoch, name, recipe.train.views) for name in names])
        order = torch.randperm(len(labels))
        for some in order[: len(order) - len(order) % recipe.train.batch_size].split(recipe.train.batch_size):
            set_rate(optimiser, step, steps, recipe.train.warmup)
            optimiser.zero_grad()
            loss.forward(head(train[0][views[some], some], train[1][some]), labels[some], counts).backward()
            optimiser.step()
            step += 1
        cost = metric.value(truth, answers(head, *valid), np.ones(len(truth)))
        if cost < best:
            best, found = cost, answers(head, *test)
    print(f"fold {recipe.split.fold}: validation balanced NLL {best:.3f}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--set", action="append", default=[])
    args = parser.parse_args()
    torch.set_num_threads(1)
    metrics, image_tables, rows, labels, groups, runs = measures(), ImageTableCache(), [], [], [], []
    for fold in range(args.folds):
        item = item_of(RECIPE, fold, args)
        folder = args.out / f"split-{fold}"
        folder.mkdir(parents=True, exist_ok=True)
        prepared = prepare(
            item.request.plan(), folder, Path(item.cache), "cpu", Display(quiet=True), image_tables=image_tables
        )
        rows.append(trained(prepared, metrics["balanced_nll"], args))
        labels.append(labels_of(prepared, prepared.split.test))
        groups += [f"{fold}:{prepared.samples[row].group}" for row in prepared.split.test]
        made = item.folder / "predictions" / "test.parquet"
        runs += [read_predictions(made)[0].calibrated] if made.is_file() else []
    truth, layer = np.concatenate(labels), np.concatenate(rows)
    for name, one in score(metrics, truth, layer, groups, seed=0).items():
        print(f"{name} {one.value:.3f} ({one.low:.3f} to {one.high:.3f})")
    for name, metric in metrics.items() if len(runs) == args.folds else ():
        found = paired_difference(metric, truth, np.concatenate(runs), layer, groups, seed=0)
        print(f"run - layer: {name} {found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f}, p {found.p:.3f})")


if __name__ == "__main__":
    main()
