"""SLICE-3D at its full size, simulated: 401,059 rows of the real schema and small JPEGs in one HDF5 file.

Goes from the files to samples, a patient-level split and the first batch of pixels, and prints the time of each step
and the peak of resident memory. The rows repeat the public sample's rows with other ids, patients, ages and sexes; the
images are drawn. Run it by hand; it is no test:

    python tests/benchmarks/slice3d_scale.py --sample ../shared/data/slice3d_sample --folder FOLDER
"""

from __future__ import annotations

import argparse
import csv
import io
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROWS, PATIENTS, MALIGNANT = 401_059, 1_042, 393
SIDE = 133  # pixels; the real crops are 41 to 269 a side


def make(sample: Path, folder: Path, rows: int) -> None:
    """Write train-metadata.csv with the 44 columns of the sample and the target, and train-image.hdf5."""
    import h5py
    from PIL import Image

    with (sample / "test-metadata.csv").open(encoding="utf-8") as file:
        template = list(csv.DictReader(file))
    random = np.random.default_rng(17)
    patients = np.sort(random.integers(0, PATIENTS, rows))
    malignant = set(random.choice(rows, MALIGNANT * rows // ROWS, replace=False).tolist())
    ages = random.integers(3, 18, PATIENTS) * 5
    pictures = []
    for _ in range(64):
        noise = random.normal(size=(9, 9)) * 20 + 160
        grey = np.clip(noise, 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(grey).convert("RGB").resize((SIDE, SIDE)).save(buffer, "JPEG", quality=75)
        pictures.append(np.frombuffer(buffer.getvalue(), dtype=np.uint8))
    folder.mkdir(parents=True, exist_ok=True)
    columns = [*template[0], "target"]
    with (
        (folder / "train-metadata.csv").open("w", newline="", encoding="utf-8") as table,
        h5py.File(folder / "train-image.hdf5", "w", libver="latest") as images,
    ):
        writer = csv.DictWriter(table, columns)
        writer.writeheader()
        for row in range(rows):
            name, patient = f"ISIC_{row:07d}", int(patients[row])
            changed = {"isic_id": name, "patient_id": f"IP_{patient:07d}", "age_approx": float(ages[patient])}
            changed |= {"sex": ("male", "female")[patient % 2], "target": int(row in malignant)}
            writer.writerow({**template[row % len(template)], **changed})
            images.create_dataset(name, data=np.void(pictures[row % 64].tobytes()))


def walk(folder: Path) -> None:
    """Go from the files to the first batch, as a run does before its features."""
    from skinframe_derm import Slice3d

    from skinframe.data.group_split import make_split
    from skinframe.data.images import decode
    from skinframe.data.prevalence import check_prevalence
    from skinframe.data.split_file import read_split, write_split

    clock = [time.monotonic()]

    def done(what: str) -> None:
        clock.append(time.monotonic())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{what:52} {clock[-1] - clock[-2]:7.1f} s   peak so far {peak:.2f} GB", flush=True)

    data = Slice3d(Slice3d.Config(root=str(folder)))
    samples = list(data.samples())
    done(f"{len(samples):,} rows to a checked manifest")
    split = make_split(samples, seed=17)
    done("patient-level split")
    check_prevalence(split, samples, data.classes)
    done("prevalence of each class in each part")
    (folder / "split.json").unlink(missing_ok=True)
    write_split(folder / "split.json", split, samples)
    read_split(folder / "split.json", samples)
    done("split frozen in a file and read back")
    batch = [np.asarray(decode(data.image_bytes(samples[index]))) for index in split.train[:32]]
    done(f"first batch of {len(batch)} images, {batch[0].shape[0]} pixels a side")
    counts = split.counts(samples, data.classes)
    print({name: dict(row) for name, row in counts.items()})
    print(f"from files to first batch: {clock[-1] - clock[0]:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--walk", action="store_true", help="the files are there; only read them")
    args = parser.parse_args()
    if args.walk:
        walk(args.folder)
        return
    start = time.monotonic()
    make(args.sample, args.folder, args.rows)
    print(f"simulated in {time.monotonic() - start:.0f} s")
    # in a process of its own, so that its memory is not that of the simulation
    subprocess.run([sys.executable, __file__, "--sample", args.sample, "--folder", args.folder, "--walk"], check=True)


if __name__ == "__main__":
    main()
