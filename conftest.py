"""Every test of the repository runs without the network and on one thread."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

OFFLINE = Path(__file__).parent / "tests" / "offline"

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
os.environ.setdefault("OMP_NUM_THREADS", "1")
runpy.run_path(str(OFFLINE / "sitecustomize.py"))
