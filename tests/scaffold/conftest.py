"""One project of every kind, written once."""

from __future__ import annotations

from pathlib import Path

import pytest

import skinframe
from skinframe.components import KINDS


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    into = tmp_path_factory.mktemp("projects")
    return {kind: skinframe.new(kind, f"my_new_{kind}", into=into) for kind in KINDS}
