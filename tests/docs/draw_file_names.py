"""Draw product files by a seed, for readers who are asked what is inside, from the name alone.

    python tests/docs/draw_file_names.py SEED

A reader sees the 20 paths and nothing else; at least 16 right says that the names tell what the files hold.
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COUNT = 20


def names(seed: int) -> list[str]:
    """Return 20 paths of product files, package markers and scaffold templates left out."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    parts = [Path(line) for line in listed.splitlines()]
    files = [
        path.as_posix()
        for path in parts
        if not {"tests", "docs", "templates"} & set(path.parts) and path.name not in ("__init__.py", "conftest.py")
    ]
    return sorted(random.Random(seed).sample(sorted(files), COUNT))


if __name__ == "__main__":
    print("\n".join(names(int(sys.argv[1]))))
