"""Where a checkpoint is on this machine and what its config.json says. Light: reads JSON, never weights."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from skinframe import RecipeError, Requirement
from skinframe.errors import Problem
from skinframe.file_digest import file_digest
from skinframe.untrusted_files import UnreadableError, parse_object, read_object
from skinframe.weight_location import PREFIX, resolve
from skinframe_vlm.folder_check import MAX_CONFIG, config_problems, shards, weight_problems
from skinframe_vlm.model_family import Family

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
ADAPTER = "adapter_config.json"
CODE = ("auto_map", "custom_pipelines", "trust_remote_code")
ATTENTION = (None, "eager", "sdpa", "flash_attention_2")  # any other value names a kernel to be downloaded
ATTENTION_KEYS = ("_attn_implementation", "_attn_implementation_internal", "attn_implementation")


@dataclass(frozen=True, kw_only=True)
class LocalCheckpoint:
    """A checkpoint of one family by name: `embedded:NAME`, a local folder, or a hub id at a revision."""

    family: Family
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
        """Return the checkpoint's config.json; for some published sizes also without weights on the machine.

        Raises RecipeError where no config.json describes the model, and where it asks for foreign code.
        """
        folder = self.folder
        if folder is not None and (folder / "config.json").exists():
            config = without_dtypes(_read(folder / "config.json"))
            self._refuse([*foreign(config, self.family), *_adapter(folder)], str(folder))
            text = self.family.text(config)
            self._refuse(config_problems(config, text), str(folder))
            self._refuse(weight_problems(folder, config, text), str(folder))
            return config
        shipped = files("skinframe_vlm") / "architectures" / f"{self.model.rpartition('/')[2]}.json"
        if self.model.startswith("Qwen/") and shipped.is_file():
            config = parse_object(shipped.read_text(encoding="utf-8"), shipped.name)
            self._refuse(foreign(config, self.family), self.model)
            return config
        what = f"no config.json on this machine; {self.next_step()}{self._known()}"
        raise RecipeError("reasoner", [Problem(self.model, what)])

    def require_folder(self) -> Path:
        """Return the folder. Raises RecipeError with the next step where the weights are not on this machine."""
        folder = self.folder
        if folder is None:
            raise RecipeError("reasoner", [Problem(self.model, self.next_step())])
        return folder

    def next_step(self) -> str:
        """Return the one step that brings the weights to this machine."""
        if HUB_ID.fullmatch(self.model):
            return f"hf download {self.model} --revision {self.revision}"
        if self.model.startswith(PREFIX):
            return f"reinstall the plugin that ships {self.model}"
        return f"put a {self.family.title} checkpoint in the Hugging Face folder format at {self.model}"

    def missing(self) -> list[Requirement]:
        """Return what is not here: the whole checkpoint, or the files that an interrupted download left out."""
        folder = self.folder
        if folder is None:
            what = f"weights of {self.model} at revision {self.revision}"
            return [Requirement(what=what, next_step=self.next_step())]
        absent = [name for name in ("config.json", "tokenizer.json", *_shards(folder)) if not (folder / name).exists()]
        if not absent:
            return []
        return [Requirement(what=f"{', '.join(absent)} of {self.model}", next_step=self.next_step())]

    def digest(self) -> str:
        """Return a hex digest of config, tokenizer and weights; of the name alone where they are not here yet."""
        whole = hashlib.sha256()
        folder = self.folder
        if folder is None or self.missing():
            return hashlib.sha256(f"absent\x1f{self.model}\x1f{self.revision}".encode()).hexdigest()
        for name in ("config.json", "tokenizer.json", *_shards(folder)):
            whole.update(f"{name}\x1f{file_digest(folder / name)}\n".encode())
        return whole.hexdigest()

    def _refuse(self, problems: list[str], where: str) -> None:
        if problems:
            raise RecipeError("reasoner", [Problem(where, problem) for problem in problems])

    def _known(self) -> str:
        """Name the published sizes that can be planned without their weights, if the family has any."""
        names = []
        for entry in (files("skinframe_vlm") / "architectures").iterdir():
            if entry.name.endswith(".json"):
                config = parse_object(entry.read_text(encoding="utf-8"), entry.name)
                names += [entry.name.removesuffix(".json")] * (config["model_type"] == self.family.model_type)
        listed = ", ".join(f"Qwen/{name}" for name in sorted(names))
        return f" (planned without weights: {listed})" if names else ""


def foreign(config: Mapping[str, Any], family: Family) -> list[str]:
    """Return what is wrong with a config.json: another model's, or one that asks for code, kernels or other parts."""
    kind, problems = config.get("model_type"), []
    if kind != family.model_type:
        step = f"name a {family.title} checkpoint, or the reasoner for {kind!r} (skinframe list --all names them)"
        problems.append(f"config.json is of model type {kind!r}; expected {family.model_type!r}; {step}")
    for part in ("text_config", "vision_config", *family.parts):
        if not isinstance(config.get(part) or {}, Mapping):
            return [*problems, f"{part} is not an object"]
    for part, allowed in family.parts.items():
        kind = (config.get(part) or {}).get("model_type", allowed[0])
        if kind not in allowed:
            problems.append(f"{part} is of model type {kind!r}; expected {' or '.join(map(repr, allowed))}")
    for where, section in _sections("config.json", config):
        for name in CODE:
            if section.get(name):
                problems.append(f"{where} sets '{name}', which names code to run; remove it: such code is never run")
        for name in ATTENTION_KEYS:
            if section.get(name) not in ATTENTION:
                problems.append(f"{where} asks for attention by {section[name]!r}; remove it: only sdpa is used")
    return problems


def _sections(where: str, config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield where, config
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _sections(f"{where}: {name}", value)


def _adapter(folder: Path) -> list[str]:
    what = f"the folder holds {ADAPTER}, an adapter of another training; name the folder of the base model itself"
    return [what] if (folder / ADAPTER).is_file() else []


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_object(path, MAX_CONFIG)
    except UnreadableError as error:
        problem = Problem(str(path), f"is not a JSON object ({error.reason}); download the checkpoint's files again")
        raise RecipeError("reasoner", [problem]) from error


def without_dtypes(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config without the dtype that its weights were saved in, at any depth: a run states its precision."""
    kept = {name: value for name, value in config.items() if name not in ("torch_dtype", "dtype")}
    return {name: without_dtypes(value) if isinstance(value, Mapping) else value for name, value in kept.items()}


def _shards(folder: Path) -> list[str]:
    try:
        return shards(folder)
    except UnreadableError as error:
        raise RecipeError("reasoner", [Problem(error.where, error.reason)]) from error


def _hub_snapshot(model: str, revision: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except (HFValidationError, ValueError, OSError) as error:
        raise RecipeError("reasoner", [Problem(model, f"is not a hub id at a revision ({error})")]) from error
