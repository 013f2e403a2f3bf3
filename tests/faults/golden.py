"""Write golden.json anew after a wanted change, `python tests/faults/golden.py`, and say why in the changelog."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


class Writer:
    """Runs in place of the comparison, on the run that the tests compare."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool:
        import json

        found = pyfuncitem.module.figures(pyfuncitem.funcargs["finished"])
        pyfuncitem.module.GOLDEN.write_text(json.dumps(found, indent=None, sort_keys=True) + "\n")
        return True


if __name__ == "__main__":
    test = f"{HERE / 'test_reproducible.py'}::test_f6_the_golden_run_is_unchanged"
    sys.exit(pytest.main(["-q", "-m", "nightly", test], plugins=[Writer()]))
