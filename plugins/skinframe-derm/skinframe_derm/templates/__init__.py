"""Versioned wording as data: one file a version, never edited once a run has used it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Template:
    """The wording of one version, as read from its file."""

    data: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON bytes, the same on every platform and checkout."""
        text = json.dumps(self.data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    @cached_property
    def forbidden(self) -> re.Pattern[str]:
        """Return the pattern of whole words that would give the answer away in a question."""
        words = "|".join(re.escape(word) for word in self.data["forbidden_in_questions"])
        return re.compile(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])", re.IGNORECASE)

    def class_name(self, name: str) -> str:
        """Return the full name of a class: 'MEL' -> 'melanoma'; a name of the set's own with underscores as spaces."""
        entry = self.data["classes"].get(name.lower())
        return str(entry["name"]) if entry else name.replace("_", " ")

    def typical(self, name: str) -> list[str]:
        """Return what the class usually shows; empty for a class that the template does not know."""
        entry = self.data["classes"].get(name.lower())
        return list(entry["typical"]) if entry else []

    def attribute_name(self, name: str) -> str:
        """Return the readable name of an attribute: 'atypical_network' -> 'atypical network'."""
        return str(self.data["attributes"].get(name, name.replace("_", " ")))


def read_template(version: str) -> Template:
    """Return the template of a version."""
    text = resources.files(__name__).joinpath(f"{version}.json").read_text(encoding="utf-8")
    return Template(json.loads(text))
