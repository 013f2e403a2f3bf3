"""Forward and backward of our loss terms beside public ones of the same definition: equal values, and the time of each.

    uv run --group oracle python tests/benchmarks/loss_speed.py
    uv run --group oracle python tests/benchmarks/loss_speed.py --sizes 32 256 --only focal SigLIP

One thread, runs interleaved in a random order, CPU time, so that what else the machine does falls on all alike. A row
compares ours with the fastest of its peers. Values must agree to 1e-6, relative where they exceed 1.
"""

from __future__ import annotations

import argparse
import gc
import platform
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import torch
from skinframe_cfa.alignment.clip_infonce import clip_infonce
from skinframe_cfa.classification.cross_entropy import cross_entropy
from skinframe_cfa.classification.focal import focal
from torch import Tensor
from torch.nn import functional as F

K, WIDTH, SCALE, GAMMA = 8, 128, 14.0, 2.0
BAR = 1.1
Call = Callable[[], Tensor]


@dataclass
class Row:
    """One definition at one size: the leaves that a gradient is asked of, ours, and the peers by name."""

    name: str
    leaves: list[Tensor]
    ours: Call
    peers: dict[str, Call]


def classification(B: int) -> list[Row]:
    from monai.losses import FocalLoss
    from torchvision.ops import sigmoid_focal_loss

    logits = (3 * torch.randn(B, K)).requires_grad_()
    labels = torch.randint(0, K, (B,))
    weights = torch.rand(K) + 0.5
    score = (3 * torch.randn(B)).requires_grad_()
    two = torch.stack([torch.zeros(B), score.detach()], dim=1).requires_grad_()
    binary = torch.randint(0, 2, (B,))
    target = binary.float()
    monai = FocalLoss(include_background=True, to_onehot_y=True, use_softmax=True, gamma=GAMMA, reduction="mean")
    column = labels.unsqueeze(1)
    return [
        Row(
            "cross entropy",
            [logits],
            lambda: cross_entropy(logits, labels),
            {"torch": lambda: F.cross_entropy(logits, labels)},
        ),
        Row(
            "cross entropy, class weights",
            [logits],
            lambda: cross_entropy(logits, labels, reduction="weighted_mean", class_weights=weights),
            {"torch": lambda: F.cross_entropy(logits, labels, weight=weights)},
        ),
        Row(
            "focal, 8 classes",
            [logits],
            lambda: focal(logits, labels, GAMMA),
            {"MONAI": lambda: K * monai(logits, column)},
        ),
        Row(
            "focal, 2 classes",
            [two, score],
            lambda: focal(two, binary, GAMMA),
            {"torchvision": lambda: sigmoid_focal_loss(score, target, alpha=-1, gamma=GAMMA, reduction="mean")},
        ),
    ]


def alignment(B: int) -> list[Row]:
    from open_clip.loss import ClipLoss, SigLipLoss
    from pytorch_metric_learning.losses import NTXentLoss, SupConLoss
    from skinframe_cfa.alignment.siglip import siglip

    images = F.normalize(torch.randn(B, WIDTH), dim=1).requires_grad_()
    texts = F.normalize(torch.randn(B, WIDTH), dim=1).requires_grad_()
    scale, bias = torch.tensor(SCALE), torch.tensor(-3.4)
    alone, labels = torch.arange(B), torch.randint(0, K, (B,))
    single, same = torch.eye(B, dtype=torch.bool), labels.unsqueeze(0) == labels.unsqueeze(1)
    clip, sig = ClipLoss(), SigLipLoss()
    pair, several = NTXentLoss(temperature=1 / SCALE), SupConLoss(temperature=1 / SCALE)

    def both(loss: Callable[..., Tensor], ids: Tensor) -> Tensor:
        # a clone: with one object for both, the library takes the diagonal for a sample's pair with itself
        there = loss(images, ids, ref_emb=texts, ref_labels=ids.clone())
        return (there + loss(texts, ids, ref_emb=images, ref_labels=ids.clone())) / 2

    # it compares each positive pair with every negative one: a table of B³ numbers
    wide: dict[str, Call] = {"metric-learning": lambda: both(pair, alone)} if B <= 256 else {}
    return [
        Row(
            "InfoNCE",
            [images, texts],
            lambda: clip_infonce(images, texts, scale, single),
            {"open_clip": lambda: clip(images, texts, scale), **wide},
        ),
        Row(
            "multi-positive",
            [images, texts],
            lambda: clip_infonce(images, texts, scale, same),
            {"metric-learning": lambda: both(several, labels)},
        ),
        Row(
            "SigLIP",
            [images, texts],
            lambda: siglip(images, texts, scale, bias, single),
            {"open_clip": lambda: sig(images, texts, scale, bias)},
        ),
    ]


def measure(row: Row, calls: dict[str, Call], rounds: int) -> dict[str, list[float]]:
    """Return the CPU seconds of forward and backward of each, `rounds` times, interleaved."""
    names = list(calls)
    times: dict[str, list[float]] = {name: [] for name in names}
    gc.disable()
    order = random.Random(0)
    for turn in range(rounds + 2):
        order.shuffle(names)  # each as often after each: what the one before leaves in the caches falls on all alike
        for name in names:
            for leaf in row.leaves:
                leaf.grad = None
            start = time.process_time_ns()
            calls[name]().backward()
            spent = (time.process_time_ns() - start) / 1e9
            if turn > 1:  # the first two warm up
                times[name].append(spent)
    gc.enable()
    return times


def line(row: Row, B: int, rounds: int) -> tuple[str, bool]:
    """Return the row of the table, and whether both bars hold."""
    value = row.ours().item()
    apart = max(abs(value - call().item()) / max(1.0, abs(value)) for call in row.peers.values())
    # a slow peer in between would leave cold caches to whoever comes next, so the fastest is found first
    first = {name: statistics.median(times) for name, times in measure(row, row.peers, 3).items()}
    best = min(first, key=lambda name: first[name])
    calls = {"ours": row.ours, best: row.peers[best]}
    middle = {name: statistics.median(times) for name, times in measure(row, calls, rounds).items()}
    ratio = middle["ours"] / middle[best]
    cells = (
        row.name,
        str(B),
        f"{1e3 * middle['ours']:.3f}",
        f"{1e3 * middle[best]:.3f} ({best})",
        f"{ratio:.2f}",
        f"{apart:.0e}",
    )
    return f"| {' | '.join(cells)} |", ratio <= BAR and apart <= 1e-6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 256, 4096])
    parser.add_argument("--only", nargs="+", default=[""], help="rows whose name holds one of these texts")
    parser.add_argument("--seconds", type=float, default=4.0, help="about so long a row and implementation")
    options = parser.parse_args()
    torch.set_num_threads(1)
    packages = ("torch", "torchvision", "monai", "pytorch-metric-learning", "open_clip_torch")
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.processor() or platform.machine()}, one thread, CPU time; ", end="")
    print(", ".join(f"{name} {version(name)}" for name in packages), end="\n\n")
    print(
        "| term | B | ours, ms | fastest peer, ms | ours / peer | difference |\n| --- | --: | --: | --: | --: | --: |"
    )
    good = True
    for make in (classification, alignment):
        for B in options.sizes:
            torch.manual_seed(B)
            for row in make(B):
                if not any(text in row.name for text in options.only):
                    continue
                start = time.process_time()
                row.ours().backward()
                once = max(time.process_time() - start, 1e-5)
                text, held = line(row, B, max(5, min(2000, int(options.seconds / once))))
                print(text, flush=True)
                good &= held
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
