"""Verify the hashes of a run, a checkpoint or a feature cache, file by file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skinframe.atomic_write import MANIFEST, damage_in, unlisted_in, write_atomic, write_json
from skinframe.errors import NotWholeError, Problem, RecipeError, SkinframeError
from skinframe.features.shard_store import ShardCheck
from skinframe.features.shard_store import verify as verify_cache
from skinframe.predicting.finished_run import fingerprints_of
from skinframe.printable_text import printable
from skinframe.untrusted_files import UnreadableError, inside, read_object, read_text, sha256_of, well_formed

FILES = "files.json"
REPORT, PAGE = "report.json", "report.html"
SEAL = "files.sha256"  # the hash of files.json, in the format of `sha256sum --check`
UNLISTED = (FILES, SEAL, ".lock", ".lock.lease")
DROPPINGS = re.compile(r"\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|\.directory|\.nfs[0-9a-f]+")  # of file managers


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
        odd = [f"  {f.state}: {f.path}: {f.what}" for f in self.findings if f.state != "whole"]
        return "\n".join(lines + [printable(line) for line in odd])


def verify(place: Path) -> Verified:
    """Check every hash under a run, checkpoint or cache. Changes nothing.

    Raises RecipeError where it is none of these, NotWholeError where something is damaged.
    """
    if (place / "plan.yaml").is_file():
        verified = Verified(place, "run", _run(place))
    elif place.name.startswith("epoch-") or (place / MANIFEST).is_file():
        verified = Verified(place, "checkpoint", _checkpoint(place))
    elif place.is_dir() and any(any(place.glob(kind)) for kind in ("image-*", "text-*", "near-*.json")):
        verified = Verified(place, "feature cache", verify_cache(place))
    else:
        raise RecipeError("verify", [Problem(str(place), "is not a run, a checkpoint or a feature cache")])
    if verified.damaged:
        raise NotWholeError(str(verified))
    return verified


def write_files(folder: Path) -> None:
    """Write the sizes and hashes of a finished run's files, of a checkpoint its manifest, and the hash of that list."""
    entries = {name: _entry(folder / name) for name in _present(folder) if not DROPPINGS.fullmatch(Path(name).name)}
    _write_list(folder, entries)


def refresh_file(folder: Path, name: str) -> None:
    """List a file anew that was written again, such as report.html; a list that is not whole stays as it is."""
    entries, flaw = _listed(folder)
    if flaw is None and (folder / SEAL).is_file():
        _write_list(folder, entries | {name: _entry(folder / name)})


def open_again(folder: Path) -> None:
    """Remove the list of a finished run that is about to change: until it is written again the run is not finished."""
    for name in (FILES, SEAL):
        (folder / name).unlink(missing_ok=True)


def _write_list(folder: Path, entries: Mapping[str, Any]) -> None:
    (folder / SEAL).unlink(missing_ok=True)  # a kill between the two leaves a list without a seal, not a wrong one
    write_json(folder / FILES, dict(entries))
    write_atomic(folder / SEAL, f"{sha256_of(folder / FILES)}  {FILES}\n".encode())


def _entry(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256_of(path)}


def _present(folder: Path) -> list[str]:
    """Return the files that a run's list holds: every one, but of a checkpoint only its manifest."""
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        own_manifest = parts[0] == "checkpoints" and (len(parts) != 3 or parts[2] != MANIFEST)
        if path.is_dir() and not path.is_symlink():
            continue
        if parts[0] in ("tensorboard", ".cache") or ".tmp-" in str(path.relative_to(folder)):
            continue
        if not own_manifest and path.relative_to(folder).as_posix() not in UNLISTED:
            found.append(path.relative_to(folder).as_posix())
    return found


def _checkpoint(folder: Path, fingerprints: Collection[str] = ()) -> list[ShardCheck]:
    from skinframe.train.checkpoint import foreign_in  # it imports torch, which rewriting a report does without

    flaw = damage_in(folder) or foreign_in(folder, fingerprints)
    if flaw is not None:
        return [ShardCheck(folder, "damaged", what=flaw)]
    extra = [ShardCheck(folder / name, "added", what="not listed, and not read") for name in unlisted_in(folder)]
    return [ShardCheck(folder, "whole"), *extra]


def _run(folder: Path) -> list[ShardCheck]:
    try:
        fingerprints, unreadable = fingerprints_of(folder), []
    except SkinframeError as error:
        reason = " ".join(str(error).split())
        fingerprints, unreadable = (), [ShardCheck(folder / "plan.yaml", "damaged", what=reason)]
    checkpoints = sorted(path for path in folder.glob("checkpoints/epoch-*") if ".tmp-" not in path.name)
    checks = [check for path in checkpoints for check in _checkpoint(path, fingerprints)]
    checks += [ShardCheck(path, "leftover", what="left by an interrupted write") for path in folder.rglob("*.tmp-*")]
    entries, flaw = _listed(folder)
    if flaw is not None:
        return [*checks, *unreadable, flaw]
    checks += [_file(folder, name, entry) for name, entry in sorted(entries.items())]
    named = {check.path for check in checks if check.state == "damaged"}
    checks += [check for check in unreadable if check.path not in named]
    complete = (folder / SEAL).is_file()  # the list of the first version had neither the page nor checkpoints
    return checks + ([_added(folder, name) for name in _present(folder) if name not in entries] if complete else [])


def _listed(folder: Path) -> tuple[dict[str, Any], ShardCheck | None]:
    """Return the list of a run's files, and what is wrong with the list itself."""
    listing, seal = folder / FILES, folder / SEAL
    if not listing.exists() and not seal.exists():
        if (folder / REPORT).is_file():
            what = "is missing: it was removed, or the run was stopped before it was finished again (use --resume)"
            return {}, ShardCheck(listing, "damaged", what=what)
        what = "the run is not finished; its other files have no hashes yet"
        return {}, ShardCheck(listing, "leftover", what=what)
    try:
        entries = read_object(listing)
        if seal.exists() and read_text(seal, 200).split()[:1] != [sha256_of(listing)]:
            raise UnreadableError(listing, f"does not match its hash in {SEAL}")
        if not seal.exists() and PAGE in entries:
            return entries, ShardCheck(seal, "damaged", what=f"is missing, so nothing vouches for {FILES}")
    except UnreadableError as error:
        return {}, ShardCheck(listing, "damaged", what=error.reason)
    return entries, None


def _added(folder: Path, name: str) -> ShardCheck:
    if DROPPINGS.fullmatch(Path(name).name):
        return ShardCheck(folder / name, "added", what="not listed, and not read")
    return ShardCheck(folder / name, "damaged", what=f"is not listed in {FILES}: added after the run was finished")


def _file(folder: Path, name: str, entry: Any) -> ShardCheck:
    try:
        path = inside(folder, name)
        with well_formed(folder / FILES):
            same = sha256_of(path) == entry["sha256"]
    except UnreadableError as error:
        return ShardCheck(folder / name[:200], "damaged", what=error.reason)
    return ShardCheck(path, "whole" if same else "damaged", what="" if same else "does not match its hash")
