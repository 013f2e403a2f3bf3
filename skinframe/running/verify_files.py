"""Verify the hashes of a run, a checkpoint or a feature cache, file by file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skinframe.atomic_write import MANIFEST, damage_in, write_json
from skinframe.errors import NotWholeError, Problem, RecipeError
from skinframe.features.shard_store import ShardCheck
from skinframe.features.shard_store import verify as verify_cache

FILES = "files.json"
UNHASHED = (FILES, ".lock", "report.html", "compare.html")  # the pages can be rebuilt from report.json


@dataclass(frozen=True)
class Verified:
    """The result of a verification; `str()` lists every file that is not intact."""

    place: Path
    kind: str
    findings: Sequence[ShardCheck]

    @property
    def damaged(self) -> list[ShardCheck]:
        return [finding for finding in self.findings if finding.state == "damaged"]

    def __str__(self) -> str:
        whole = sum(finding.state == "whole" for finding in self.findings)
        lines = [f"{self.place}: a {self.kind}; {whole} of {len(self.findings)} whole"]
        return "\n".join(lines + [f"  {f.state}: {f.path}: {f.what}" for f in self.findings if f.state != "whole"])


def verify(place: Path) -> Verified:
    """Check every hash under a run, checkpoint or cache. Changes nothing.

    Raises RecipeError where it is none of these, NotWholeError where something is damaged.
    """
    if (place / "plan.yaml").is_file():
        found = Verified(place, "run", _run(place))
    elif place.name.startswith("epoch-") or (place / MANIFEST).is_file():
        found = Verified(place, "checkpoint", [_checkpoint(place)])
    elif place.is_dir() and (any(place.glob("image-*")) or any(place.glob("text-*"))):
        found = Verified(place, "feature cache", verify_cache(place))
    else:
        raise RecipeError("verify", [Problem(str(place), "is not a run, a checkpoint or a feature cache")])
    if found.damaged:
        raise NotWholeError(str(found))
    return found


def write_files(folder: Path) -> None:
    """Write the sizes and hashes of a finished run's files, checkpoints apart: they have manifests of their own."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and _hashed(path.relative_to(folder))]
    entries = {p.relative_to(folder).as_posix(): {"bytes": p.stat().st_size, "sha256": _sha256(p)} for p in paths}
    write_json(folder / FILES, entries)


def _hashed(path: Path) -> bool:
    return path.parts[0] not in ("checkpoints", "tensorboard") and path.name not in UNHASHED


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _checkpoint(folder: Path) -> ShardCheck:
    flaw = damage_in(folder)
    return ShardCheck(folder, "whole" if flaw is None else "damaged", what=flaw or "")


def _run(folder: Path) -> list[ShardCheck]:
    checkpoints = sorted(path for path in folder.glob("checkpoints/epoch-*") if ".tmp-" not in path.name)
    found = [_checkpoint(path) for path in checkpoints]
    found += [ShardCheck(path, "leftover", what="left by an interrupted write") for path in folder.rglob("*.tmp-*")]
    listing = folder / FILES
    if not listing.is_file():
        return [
            *found,
            ShardCheck(listing, "leftover", what="the run is not finished; its other files have no hashes yet"),
        ]
    try:
        entries = dict(json.loads(listing.read_text(encoding="utf-8")))
        return found + [_file(folder / name, entry["sha256"]) for name, entry in sorted(entries.items())]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [*found, ShardCheck(listing, "damaged", what=f"cannot be read ({type(error).__name__})")]


def _file(path: Path, sha256: str) -> ShardCheck:
    try:
        same = _sha256(path) == sha256
    except OSError as error:
        return ShardCheck(path, "damaged", what=(error.strerror or str(error)).lower())
    return ShardCheck(path, "whole" if same else "damaged", what="" if same else "does not match its hash")
