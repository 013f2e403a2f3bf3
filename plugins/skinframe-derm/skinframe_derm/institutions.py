"""Where an image comes from and how it was taken, from a table; for audits only."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from skinframe import Sample


@cache
def institutions() -> Mapping[str, Mapping[str, Any]]:
    """Return the table of institutions.toml by the sets' names."""
    text = resources.files("skinframe_derm").joinpath("institutions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def context(dataset: Any, sample: Sample) -> Mapping[str, str]:
    """Return source, institution and modality of a sample, those that are known."""
    entry = institutions().get(dataset.name, {})
    own = entry.get("source", {}).get(sample.source, "") if sample.source is not None else ""
    found = {
        "source": sample.source or "",
        "institution": own or entry.get("institution", ""),
        "modality": entry.get("modality", ""),
    }
    return {name: value for name, value in found.items() if value}
