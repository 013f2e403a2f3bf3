"""Every component that the first-party distributions register stands under the contract of its kind."""

from __future__ import annotations

import collect_contracts
import pytest

from skinframe.plugins import installed, load

NOT_YET = {
    (
        "prompt",
        "local_llm",
    ): "words only samples that its file has; test_local_llm.py holds it instead"
}
ENTRIES = sorted(set(load(installed()).entries) - set(NOT_YET))


@pytest.mark.parametrize(("kind", "name"), ENTRIES, ids=[f"{kind}-{name}" for kind, name in ENTRIES])
def test_it_is_held_to_it(kind, name):
    rows = [row for row in collect_contracts.rows() if row.kind in (kind, "") and name in row.names]
    assert rows, f"no contract test has {kind} '{name}'; write one with {kind}_contract"
