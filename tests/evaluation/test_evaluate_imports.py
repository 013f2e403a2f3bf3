"""Naming the metrics and calibrators costs no heavy import."""

import subprocess
import sys


def test_registering_loads_numpy_only():
    heavy = "{'torch', 'sklearn', 'scipy', 'pyarrow', 'transformers'}"
    code = (
        "import sys, skinframe.evaluation.metric_registration, skinframe.evaluation.scores_with_intervals;"
        "import skinframe.evaluation.baselines;"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
