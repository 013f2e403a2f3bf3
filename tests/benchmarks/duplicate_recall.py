"""How many planted copies the near-duplicate search finds, and how many pairs of strangers it flags.

Copies are made of random images of a real set, written as JPEG, decoded and searched among all images of the set. A
copy counts as found when the pair of it and its original is flagged. False pairs are counted over every pair of images
of different lesions, not over a sample; the true duplicates among them are not taken off. Run it by hand, no test:

    python tests/benchmarks/duplicate_recall.py --root ../shared/data/ham10000 --copies 1000
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable

import numpy as np
from PIL import Image
from skinframe_derm import Ham10000

from skinframe.data.images import decode
from skinframe.features.dihedral_views import dihedral
from skinframe.preparing.image_descriptor import axis_matrix, grey_grid, turned_grid
from skinframe.preparing.near_duplicates import TEXTURE, near_pairs

Picture = Image.Image


def jpeg(image: Picture, quality: int) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return decode(buffer.getvalue())


def cropped(image: Picture, share: float, random: np.random.Generator) -> Picture:
    """Return a window of (1 - share) of both sides at a random place."""
    width, height = (round(side * (1 - share)) for side in image.size)
    left, top = random.integers(image.width - width + 1), random.integers(image.height - height + 1)
    return image.crop((left, top, left + width, top + height))


def edges(image: Picture, share: float) -> Picture:
    """Return the image with `share` of its side cut off every edge."""
    x, y = round(image.width * share), round(image.height * share)
    return image.crop((x, y, image.width - x, image.height - y))


def scaled(image: Picture, factor: float) -> Picture:
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC)


KINDS: dict[str, Callable[[Picture, np.random.Generator], Picture]] = {
    "re-encoded, JPEG quality 40": lambda image, _: jpeg(image, 40),
    "resized to half, quality 75": lambda image, _: jpeg(scaled(image, 0.5), 75),
    "turned by 90 degrees": lambda image, _: jpeg(dihedral(image, 4), 75),
    "mirrored": lambda image, _: jpeg(dihedral(image, 1), 75),
    "cropped to 95 % of each side, anywhere": lambda image, random: jpeg(cropped(image, 0.05, random), 75),
    "cropped by 5 % at every edge": lambda image, _: jpeg(edges(image, 0.05), 75),
    "all: crop, any view, half size, quality 40": lambda image, random: jpeg(
        scaled(dihedral(cropped(image, 0.05, random), int(random.integers(8))), 0.5), 40
    ),
    "beyond: cropped to 90 % of each side, anywhere": lambda image, random: jpeg(cropped(image, 0.10, random), 75),
}


def phash(grid: np.ndarray) -> int:
    """Return the usual 64-bit perceptual hash: signs of the 8 x 8 lowest frequencies about their median."""
    low = (axis_matrix((0, 0), 8) @ grid.astype(np.float32) @ axis_matrix((0, 0), 8).T).ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def hash_bits(a: np.ndarray, b: np.ndarray) -> int:
    """Return the distance of the usual 64-bit hashes over the eight views of one, for comparison."""
    first = phash(a)
    return min(bin(first ^ phash(turned_grid(b, view))).count("1") for view in range(8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True)
    parser.add_argument("--copies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=17)
    args = parser.parse_args()
    random = np.random.default_rng(args.seed)
    data = Ham10000(Ham10000.Config(root=args.root))
    samples = data.samples()
    start = time.monotonic()
    grids = np.stack([grey_grid(decode(data.image_bytes(sample))) for sample in samples])
    print(f"{len(samples)} images read in {time.monotonic() - start:.0f} s")
    numbers = {name: number for number, name in enumerate(sorted({str(sample.lesion) for sample in samples}))}
    lesions = np.array([numbers[str(sample.lesion)] for sample in samples])
    start = time.monotonic()
    flagged = near_pairs(grids, known=lesions)
    sizes = np.bincount(lesions)
    pairs = (len(samples) * (len(samples) - 1) - int((sizes * (sizes - 1)).sum())) // 2
    rate = 1e7 * len(flagged) / pairs
    seconds = time.monotonic() - start
    print(f"texture {TEXTURE}: {len(flagged)} of {pairs:,} pairs of different lesions, {rate:.1f} in 10 million")
    print(f"all pairs in eight views searched in {seconds:.0f} s")
    chosen = random.choice(len(samples), args.copies, replace=False)
    for name, make in KINDS.items():
        copies = np.stack([grey_grid(make(decode(data.image_bytes(samples[row])), random)) for row in chosen])
        found = {(near.first, near.second) for near in near_pairs(copies, grids)}
        recall = np.mean([(place, row) in found for place, row in enumerate(chosen)])
        bits = np.mean([hash_bits(grids[row], copies[place]) <= 10 for place, row in enumerate(chosen)])
        print(f"{name:48} recall {recall:.4f}   (64-bit pHash, at most 10 bits: {bits:.4f})", flush=True)


if __name__ == "__main__":
    main()
