"""Hostile bytes for each kind of reader: `python tests/faults/fuzz.py --target recipe --seconds 600`.

A reader may return, or refuse with an error of `skinframe.errors`. Anything else, or more than five seconds, is a
finding: its input is saved and the exit code is 1. Hypothesis draws the mutations and shrinks what it finds. Run by
`results.py`, each reader's figures get a line in its record, an interrupted one's too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from record import PLACE, ROOT, append

from skinframe.errors import SkinframeError

TOKENS = [
    *(b"\x00", b"&a", b"*a", b"!!python/object/apply:os.system", b"_target_: os.system", b"${env:HOME}", b"{", b"["),
    *(b"]: ", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\t", b'"', b"'", b",", b"../", b"=1+1", b"1e999", b"nan", b"-1"),
    *(b"9" * 20, b"true", b"null", b"~", b"<<: ", b"? ", b"- ", b"| \n", b"\xe2\x80\xae", b"0", b"1", b"2.5", b"abc"),
]
Change = tuple[int, int, bytes]
WHAT = st.one_of(st.sampled_from(TOKENS), st.binary(max_size=24))
WIDTH = st.one_of(st.integers(0, 4), st.integers(0, 40))
CHANGES = st.lists(st.tuples(st.integers(0, 1 << 20), WIDTH, WHAT), max_size=6)


def mutated(data: bytes, changes: list[Change]) -> bytes:
    """Replace stretches of `data`: (where, how many bytes, by what)."""
    for where, length, new in changes:
        at = where % (len(data) + 1)
        data = data[:at] + new + data[at + length :]
    return data


def recipe_target(folder: Path) -> tuple[list[bytes], Callable[[bytes], None]]:
    """The loader, and the plan where the loader accepts: no weight is read by either."""
    from skinframe.planning import make_plan
    from skinframe.plugins import load
    from skinframe.recipe import load_recipe

    catalog = load(["cfa", "clip", "qwen", "derm", "tiny"])
    path = folder / "recipe.yaml"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        make_plan(load_recipe(path), catalog, str(path))

    files = [ROOT / "tests" / "small.yaml", ROOT / "recipes" / "cfa_full.yaml"]
    return [file.read_bytes() for file in files], read


def manifest_target(folder: Path) -> tuple[list[bytes], Callable[[bytes], None]]:
    """The generic table: CSV to checked samples."""
    from skinframe_derm import Table

    from skinframe.data.manifest import check_samples

    path = folder / "manifest.csv"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        table = Table(Table.Config(root=str(folder), attributes=["veil"]))
        check_samples(table.samples(), table.fields, table.classes, table.attributes)

    head = "id,image,label,patient,lesion,age,sex,site,split,veil\n"
    rows = "".join(
        f"s{i},a/{i}.png,{'mel' if i % 3 else 'nv'},p{i},l{i},{i},Female,palms/soles,train,yes\n" for i in range(12)
    )
    return [(head + rows).encode(), b"\xef\xbb\xbf" + (head + rows).replace("\n", "\r\n").encode()], read


def checkpoint_target(folder: Path) -> tuple[list[bytes], Callable[[bytes], None]]:
    """A checkpoint's files in one string; after an even first byte the manifest is made to agree."""
    import torch

    from skinframe.atomic_write import MANIFEST, damage_in
    from skinframe.train.checkpoint import newest_checkpoint, save_checkpoint

    state = {"tokens": 64, "log_bytes": 0, "ties": {}, "step": 3}
    tensors = {"model": {"w": torch.arange(12.0).view(3, 4)}, "optimiser": {"0.step": torch.ones(1)}, "losses": {}}
    whole = save_checkpoint(folder, 0, tensors, state).folder
    names = sorted(path.name for path in whole.iterdir())
    written = {name: (whole / name).read_bytes() for name in names}
    mark = b"\x1e\x1e"

    def read(data: bytes) -> None:
        for name, part in zip(names, [*data[1:].split(mark), b"", b"", b"", b"", b""], strict=False):
            (whole / name).write_bytes(part)
        agree = data[:1] and data[0] % 2 == 0
        files = {name: (whole / name).read_bytes() for name in names if name != MANIFEST}
        if agree:
            entries = {n: {"bytes": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in files.items()}
            (whole / MANIFEST).write_text(json.dumps(entries, indent=2, sort_keys=True))
        found = newest_checkpoint(folder)
        assert found is not None
        assert damage_in(whole) is None
        if not agree and {n: (whole / n).read_bytes() for n in names} != written:
            raise AssertionError("a corrupted checkpoint was accepted")
        for name in ("model", "optimiser", "losses"):
            found.tensors(name)

    body = mark.join(written[name] for name in names)
    return [b"\x00" + body, b"\x01" + body], read


def run_folder_target(folder: Path) -> tuple[list[bytes], Callable[[bytes], None]]:
    """Every JSON and YAML reader of a run folder: the first byte says which file the rest is."""
    from skinframe.data.split_file import _read
    from skinframe.predicting.finished_run import fingerprints_of, read_json, read_statement
    from skinframe.reporting.report_files import read_report
    from skinframe.running.verify_files import verify

    old = ROOT / "tests" / "finished" / "run_at_9195069"
    names = ("plan.yaml", "report.json", "split.json", "files.json", "changes.json", "selection.json")
    readers: tuple[Callable[[], object], ...] = (
        lambda: (read_statement(folder / "plan.yaml"), fingerprints_of(folder)),
        lambda: read_report(folder),
        lambda: _read(folder / "split.json"),
        lambda: verify(folder),
        lambda: fingerprints_of(folder),
        lambda: read_json(folder / "selection.json"),
    )
    written = {name: (old / name).read_bytes() if (old / name).is_file() else b"[]" for name in names}

    def read(data: bytes) -> None:
        for name, content in written.items():
            (folder / name).write_bytes(content)
        which = (data[0] if data else 0) % len(names)
        (folder / names[which]).write_bytes(data[1:])
        readers[which]()

    return [bytes([place]) + written[name] for place, name in enumerate(names)], read


def table_target(folder: Path) -> tuple[list[bytes], Callable[[bytes], None]]:
    """A Parquet table of predictions."""
    import numpy as np

    from skinframe.evaluation.predictions import Predictions, read_predictions, write_predictions

    scores, path = np.full((4, 2), 0.5), folder / "t.parquet"
    ids = ("a", "b", "c", "d")
    write_predictions(path, Predictions(ids, ids, np.array([0, 1, 0, 1]), scores, scores, scores), ("nv", "mel"))
    whole = path.read_bytes()

    def read(data: bytes) -> None:
        path.write_bytes(data)
        read_predictions(path)

    return [whole], read


TARGETS = {
    "run_folder": run_folder_target,
    "table": table_target,
    "recipe": recipe_target,
    "manifest": manifest_target,
    "checkpoint": checkpoint_target,
}


def fuzz(target: str, seconds: float, folder: Path, counts: Counter[str]) -> None:
    """Count the inputs that were tried and those that were refused. Raises what the reader must not."""
    seeds, read = TARGETS[target](folder)
    read(seeds[-1])  # an unchanged one is read, or every refusal says nothing
    ends = time.monotonic() + seconds

    def once(start: bytes, changes: list[Change]) -> None:
        if time.monotonic() > ends:
            return
        data = mutated(start, changes)
        counts["inputs"] += 1
        began = time.process_time()
        try:
            read(data)
        except SkinframeError:
            counts["refused"] += 1
        except Exception:
            (folder / "finding").write_bytes(data)
            raise
        if time.process_time() - began > 5:
            (folder / "finding").write_bytes(data)
            raise AssertionError("more than five seconds for one input")

    turn = 0
    while time.monotonic() < ends:
        test = given(st.sampled_from(seeds), CHANGES)(once)
        test = settings(
            max_examples=2000,
            deadline=timedelta(seconds=60),
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )(seed(turn)(test))
        test()
        turn += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=sorted(TARGETS), action="append")
    parser.add_argument("--seconds", type=float, default=600.0)
    options = parser.parse_args()
    logging.getLogger("skinframe").setLevel(logging.CRITICAL)  # thousands of warnings about damaged checkpoints
    for target in options.target or sorted(TARGETS):
        folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{target}-"))
        counts: Counter[str] = Counter(inputs=0, refused=0, findings=0)
        began = time.monotonic()
        try:
            fuzz(target, options.seconds, folder, counts)
        except Exception:
            counts["findings"] += 1
            print(f"{target}: finding saved in {folder / 'finding'}", file=sys.stderr)
            raise
        finally:
            line = {"fuzz": target, "seconds": round(time.monotonic() - began), **counts}
            if PLACE in os.environ:
                append(Path(os.environ[PLACE]), line)
            print(f"{target}: {', '.join(f'{name} {value}' for name, value in list(line.items())[1:])}", flush=True)


if __name__ == "__main__":
    main()
