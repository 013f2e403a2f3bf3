"""Metrics against public libraries: `uv run tox -e oracle`. The default run does not come here (`norecursedirs`)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
