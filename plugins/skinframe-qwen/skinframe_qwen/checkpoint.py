"""Where a checkpoint stands on this machine and what its config.json says. Light: reads JSON, never weights."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from skinframe import RecipeError, Requirement
from skinframe.errors import Problem
from skinframe.weights import PREFIX, resolve
from skinframe_qwen.foreign import refuse_foreign

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A Qwen2.5-VL checkpoint by name: `embedded:NAME`, a local folder, or a hub id at a revision."""

    model: str
    revision: str = "main"

    @property
    def folder(self) -> Path | None:
        """The local folder, or None where the weights are not on this machine. Never asks the network."""
        if self.model.startswith(PREFIX):
            return resolve(self.model)
        path = Path(self.model).expanduser()
        if path.is_dir():
            return path
        return _hub_snapshot(self.model, self.revision) if HUB_ID.fullmatch(self.model) else None

    def architecture(self) -> dict[str, Any]:
        """Return the checkpoint's config.json; for the published sizes also with no weights on the machine.

        Raises RecipeError where nothing here says what the model looks like.
        """
        folder = self.folder
        if folder is not None and (folder / "config.json").is_file():
            config = _read(folder / "config.json")
            refuse_foreign(folder, config)
            return config
        shipped = files("skinframe_qwen") / "architectures" / f"{self.model.rpartition('/')[2]}.json"
        if self.model.startswith("Qwen/") and shipped.is_file():
            return dict(json.loads(shipped.read_text(encoding="utf-8")))
        known = ", ".join(sorted(f"Qwen/{entry.name.removesuffix('.json')}" for entry in _shipped()))
        what = f"no config.json on this machine, and not one of the known sizes ({known}); {self.next_step()}"
        raise RecipeError("reasoner", [Problem(self.model, what)])

    def next_step(self) -> str:
        """Return the one step that brings the weights here."""
        if HUB_ID.fullmatch(self.model):
            return f"hf download {self.model} --revision {self.revision}"
        if self.model.startswith(PREFIX):
            return f"reinstall the plugin that ships {self.model}"
        return f"put a Qwen2.5-VL checkpoint in the Hugging Face folder format at {self.model}"

    def missing(self) -> list[Requirement]:
        """Return what is not here: the whole checkpoint, or the files that a broken-off download left out."""
        folder = self.folder
        if folder is None:
            what = f"weights of {self.model} at revision {self.revision}"
            return [Requirement(what=what, next_step=self.next_step())]
        lost = [name for name in ("config.json", "tokenizer.json", *_shards(folder)) if not (folder / name).is_file()]
        if not lost:
            return []
        return [Requirement(what=f"{', '.join(lost)} of {self.model}", next_step=self.next_step())]

    def digest(self) -> str:
        """Return a hex digest of config, tokenizer and weights; of the name alone where they are not here yet."""
        found = hashlib.sha256()
        folder = self.folder
        if folder is None or self.missing():
            return hashlib.sha256(f"absent\x1f{self.model}\x1f{self.revision}".encode()).hexdigest()
        for name in ("config.json", "tokenizer.json", *_shards(folder)):
            found.update(f"{name}\x1f{_file_digest(folder / name)}\n".encode())
        return found.hexdigest()


def vision_facts(architecture: Mapping[str, Any]) -> tuple[int, int]:
    """Return (pixels a merged token covers along one side, width of a merged token) of Qwen's own tower."""
    vision = architecture["vision_config"]
    return int(vision["patch_size"]) * int(vision["spatial_merge_size"]), int(vision["out_hidden_size"])


def text_facts(architecture: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the language model's options: nested in new config.json files, flat in those on the hub."""
    nested = architecture.get("text_config")
    return architecture if nested is None else dict(nested)


def _shipped() -> list[Any]:
    return [entry for entry in (files("skinframe_qwen") / "architectures").iterdir() if entry.name.endswith(".json")]


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _shards(folder: Path) -> list[str]:
    if (folder / INDEX).is_file():
        return sorted(set(_read(folder / INDEX)["weight_map"].values()))
    return [SINGLE]


def _hub_snapshot(model: str, revision: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        return None


def _file_digest(path: Path) -> str:
    """Hash a file; in the hub's cache a large file's name already is its SHA-256, so 16 GB are not read again."""
    blob = path.resolve()
    if blob.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", blob.name):
        return blob.name
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
