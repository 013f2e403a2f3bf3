"""Puts the reader of pages and the generator of tables on the import path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "docs")]
